import { describe, expect, onTestFinished, test } from "vitest";
import type { MessageParts } from "../../../../src/core/index.ts";
import { LAB_ACCOUNT, startSendGrid } from "../../../../src/lab/index.ts";
import type { HttpFault, SendGridOptions, SendGridServer } from "../../../../src/lab/index.ts";
import { nowMs, providerAt, send } from "./harness.ts";
import { box, file, messageWith } from "./messages.ts";

async function labSendGrid(options: SendGridOptions = {}): Promise<SendGridServer> {
  const server = await startSendGrid({ clock: () => nowMs, ...options });
  onTestFinished(() => server.close());
  return server;
}

function providerOf(server: SendGridServer, more: Record<string, unknown> = {}): ReturnType<typeof providerAt> {
  return providerAt(server.url, { apiKey: LAB_ACCOUNT.sendGridKey, ...more });
}

const everything: Partial<MessageParts> = {
  to: [box("taro@例え.jp", "山田, 太郎"), box("ada@example.com"), box("ADA@example.com")],
  cc: [box("bob@example.com")],
  bcc: [box("cid@example.com")],
  replyTo: [box("help@contoso.com"), box("desk@contoso.com")],
  html: "<p>html</p>",
  headers: [
    { name: "X-Beschreibung", value: "Grüße" },
    { name: "Received", value: "from a" },
  ],
  attachments: [file("請求書.pdf", "%PDF"), { ...file("", "x"), filename: null }],
  calendar: { method: "REQUEST", filename: null, content: "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n" },
};

describe("against the lab's SendGrid", () => {
  test("a message with everything is accepted, once for each recipient", async () => {
    const server = await labSendGrid();
    const { outcome } = await send(providerOf(server), messageWith(everything, { tags: ["a", "a"] }));
    expect(server.accepted).toMatchObject([
      {
        rcptTo: ["taro@xn--r8jz45g.jp", "ADA@example.com", "bob@example.com", "cid@example.com"],
        messageId: "<01HMAILOVER@contoso.com>",
        mailoverId: "01HMAILOVER",
      },
    ]);
    expect(outcome).toMatchObject({ kind: "relayed", remoteId: server.accepted[0]?.remoteId, refused: [] });
  });

  test("a message without words is accepted", async () => {
    const server = await labSendGrid();
    await send(providerOf(server), messageWith({ subject: "", text: null }));
    expect(server.accepted).toHaveLength(1);
  });

  test("the sandbox accepts none", async () => {
    const server = await labSendGrid();
    const { outcome } = await send(providerOf(server, { sandbox: true }), messageWith());
    expect(outcome).toMatchObject({ kind: "relayed", remoteId: null });
    expect(server.accepted).toEqual([]);
  });

  test("a malformed recipient is refused, and the others have their mail", async () => {
    const server = await labSendGrid();
    const message = messageWith({ to: [box("ada@example.com"), box("bad@nowhere")], cc: [box("bob@example.com")] });
    const { outcome } = await send(providerOf(server), message);
    expect(outcome).toMatchObject({ kind: "relayed", refused: [{ recipient: "bad@nowhere" }] });
    expect(server.accepted.map(({ rcptTo }) => rcptTo)).toEqual([["ada@example.com", "bob@example.com"]]);
  });

  test.each<[rule: string, options: SendGridOptions["rules"], want: Record<string, unknown>]>([
    ["a From that was not verified", { verified: ["fabrikam.com"] }, { cause: "sender" }],
    ["used-up credits", { creditsPerDay: 0 }, { cause: "quota", retryAfterMs: 14 * 3_600_000 }],
    ["a rate limit", { requestsPerMinute: 0 }, { cause: "throttled", retryAfterMs: 60_000 }],
    ["a key without Mail Send", { keys: { [LAB_ACCOUNT.sendGridKey]: ["alerts.read"] } }, { cause: "auth" }],
    ["an unknown key", { keys: {} }, { cause: "auth" }],
  ])("%s", async (_rule, rules, want) => {
    const server = await labSendGrid({ rules: rules ?? {} });
    const { outcome } = await send(providerOf(server), messageWith());
    expect(outcome).toMatchObject({ failure: want });
    expect(server.accepted).toEqual([]);
  });

  test.each<[fault: string, fault: HttpFault, kind: string, acceptedCount: number]>([
    ["silence", { kind: "silence" }, "uncertain", 0],
    ["silence about a message it took", { kind: "silence", accepted: true }, "uncertain", 1],
    ["a drop of a message it took", { kind: "drop", accepted: true }, "uncertain", 1],
    ["an answer that is no HTTP", { kind: "garbage", accepted: true }, "uncertain", 1],
    ["no listener", { kind: "refuse" }, "deferred", 0],
    ["an error of the server", { kind: "response", status: 500, body: "" }, "deferred", 0],
  ])("%s", async (_fault, fault, kind, acceptedCount) => {
    const server = await labSendGrid();
    await server.setFault(fault);
    const timeouts = fault.kind === "silence" ? { responseMs: 300 } : {};
    const { outcome } = await send(providerOf(server, { timeouts }), messageWith());
    expect(outcome.kind).toBe(kind);
    expect(server.accepted).toHaveLength(acceptedCount);
  });

  test("the check tells a good key from one that may not send", async () => {
    const server = await labSendGrid();
    const options = { signal: new AbortController().signal, onStage: () => {} };
    expect(await providerOf(server).verify(options)).toMatchObject({ ok: true });
    server.setRules({ keys: { [LAB_ACCOUNT.sendGridKey]: ["alerts.read"] } });
    expect(await providerOf(server).verify(options)).toMatchObject({ ok: false, failure: { cause: "auth" } });
    expect(server.accepted).toEqual([]);
  });
});
