import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startLab } from "../../../../src/lab/index.ts";
import type { Lab } from "../../../../src/lab/index.ts";
import { mailbox, providerOf, resetLab } from "./lab-provider.ts";
import type { Watched } from "./lab-provider.ts";
import { messageFrom } from "./message.ts";

let lab: Lab;
let watched: Watched;

beforeAll(async () => {
  lab = await startLab();
});
afterAll(async () => {
  await lab.close();
});
beforeEach(async () => {
  await resetLab(lab);
  watched = providerOf(lab);
});
afterEach(async () => {
  await watched.close();
});

async function reopen(changes: Record<string, unknown>): Promise<void> {
  await watched.close();
  watched = providerOf(lab, changes);
}

describe("a message", () => {
  test("is relayed, the token first", async () => {
    const outcome = await watched.send();
    expect(outcome).toMatchObject({
      kind: "relayed",
      reply: expect.stringContaining("250 2.0.0 OK"),
      refused: [],
    });
    expect(watched.stages[0]).toBe("token");
    expect(watched.stages).toContain("starttls");
    expect(watched.stages.at(-1)).toBe("reply");
    const [accepted] = lab.exchange.accepted;
    expect(accepted).toMatchObject({ user: mailbox, mailFrom: mailbox, rcptTo: ["ken@example.com"] });
    expect(accepted?.content.toString()).toBe(messageFrom(mailbox).mime.toString());
  });

  test("twenty at once share one token and three connections", async () => {
    const connectionCount = lab.exchange.connectionCount;
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => watched.send()));
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(["relayed"]));
    expect(lab.entra.tokenRequestCount()).toBe(1);
    expect(lab.exchange.connectionCount - connectionCount).toBe(3);
    expect(lab.exchange.accepted.length).toBe(20);
  });

  test("that Exchange refuses after its content is the sender's, with what to type", async () => {
    await reopen({ sendAs: ["@contoso.com"] });
    const outcome = await watched.send(messageFrom("billing@contoso.com"));
    expect(outcome).toMatchObject({
      kind: "rejected",
      failure: { cause: "sender", stage: "reply", remedy: expect.stringContaining("Add-RecipientPermission") },
    });
  });
});

describe("From and envelope", () => {
  const cases: readonly [rule: string, settings: Record<string, unknown>, from: string, declined: string | null][] = [
    ["the mailbox itself is taken", {}, mailbox, null],
    [
      "another address is declined",
      {},
      "billing@contoso.com",
      `From billing@contoso.com is not the mailbox ${mailbox} nor in its sendAs list`,
    ],
    ["a listed address is taken", { sendAs: ["billing@contoso.com"] }, "billing@contoso.com", null],
    ["a mapped address is taken", { from: { "fabrikam.com": mailbox } }, "app@fabrikam.com", null],
    [
      "what is mapped for others is still declined for the rest",
      { from: { "fabrikam.com": mailbox } },
      "app@example.com",
      `From app@example.com is not the mailbox ${mailbox} nor in its sendAs list`,
    ],
  ];
  test.each(cases)("%s", async (_rule, settings, from, declined) => {
    await reopen(settings);
    expect(watched.provider.declines(messageFrom(from))).toEqual(
      declined === null ? null : { cause: "sender", reason: declined },
    );
  });

  test("a mapped From goes out as the mailbox's, the original as Reply-To", async () => {
    await reopen({ from: { "*": mailbox } });
    expect(await watched.send(messageFrom("app@fabrikam.com"))).toMatchObject({ kind: "relayed" });
    const [accepted] = lab.exchange.accepted;
    expect(accepted?.mailFrom).toBe(mailbox);
    expect(accepted?.content.toString()).toMatch(
      new RegExp(`^From: .*<${mailbox}>\r\nReply-To: .*<app@fabrikam\\.com>`),
    );
  });

  test("an envelope sender the mailbox may not use becomes the From's", async () => {
    const message = messageFrom(mailbox, {
      envelope: { mailFrom: "bounces@example.net", rcptTo: ["ken@example.com"] },
    });
    expect(await watched.send(message)).toMatchObject({ kind: "relayed" });
    expect(lab.exchange.accepted[0]?.mailFrom).toBe(mailbox);
  });

  test("one that it may use, and the empty one, stay", async () => {
    await reopen({ sendAs: ["bounces@contoso.com"] });
    lab.exchange.setRules({ sendAs: { [mailbox]: ["bounces@contoso.com"] } });
    for (const mailFrom of ["bounces@contoso.com", ""]) {
      await watched.send(messageFrom(mailbox, { envelope: { mailFrom, rcptTo: ["ken@example.com"] } }));
    }
    expect(lab.exchange.accepted.map(({ mailFrom }) => mailFrom)).toEqual(["bounces@contoso.com", ""]);
  });
});

describe("a check without mail", () => {
  test("goes through token, TLS and AUTH", async () => {
    const verification = await watched.verify();
    expect(verification.ok).toBe(true);
    expect(verification.stages).toEqual(expect.arrayContaining(["token", "connect", "starttls", "auth"]));
    expect(lab.exchange.accepted).toEqual([]);
  });

  test("names the stage that failed", async () => {
    lab.exchange.setRules({ smtpAuthDisabledForTenant: true });
    expect(await watched.verify()).toMatchObject({
      ok: false,
      failure: { cause: "auth", stage: "auth", remedy: expect.stringContaining("Set-TransportConfig") },
    });
    await lab.entra.setFault({ kind: "aadsts", aadsts: 700016 });
    await reopen({});
    expect(await watched.verify()).toMatchObject({ ok: false, failure: { cause: "auth", stage: "token" } });
  });
});

test("close ends attempts under way and leaves no connection", async () => {
  await watched.send();
  await lab.exchange.setFault({ kind: "silence", at: "any" });
  const pending = watched.send();
  await expect.poll(() => lab.exchange.transcript.filter(({ text }) => /^MAIL/i.test(text)).length).toBe(2);
  await watched.close();
  expect(await pending).toMatchObject({ kind: "deferred", failure: { cause: "outage" } });
  await expect.poll(() => lab.exchange.connections).toBe(0);
  expect(await watched.send()).toMatchObject({ kind: "deferred" });
});

test("close ends a request for a token that is under way", async () => {
  await lab.entra.setFault({ kind: "silence" });
  const pending = watched.send();
  await expect.poll(() => lab.entra.tokenRequestCount()).toBe(1);
  await watched.close();
  expect(await pending).toMatchObject({ kind: "deferred", failure: { stage: "token" } });
  await expect.poll(() => lab.entra.connections).toBe(0);
});

test("a file that ca names and that is not there is a defect of the settings, not of the mail", () => {
  expect(() => providerOf(lab, { ca: "/nowhere/ca.pem" })).toThrow("/nowhere/ca.pem");
});
