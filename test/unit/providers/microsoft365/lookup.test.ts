import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Lookup, Message } from "../../../../src/core/index.ts";
import { LAB_ACCOUNT, startLab } from "../../../../src/lab/index.ts";
import type { GraphRules, HttpFault, Lab } from "../../../../src/lab/index.ts";
import { DEFAULT_GRAPH_RULES } from "../../../../src/lab/graph-rules.ts";
import { mailbox, providerOf, resetLab } from "./lab-provider.ts";
import type { Watched } from "./lab-provider.ts";
import { messageFrom } from "./message.ts";

const minuteMs = 60_000;
const absentAfterMs = 10 * minuteMs;
const message = messageFrom(mailbox);

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
  await lab.graph.setFault(null);
  lab.graph.setRules(DEFAULT_GRAPH_RULES);
  lab.graph.clear();
  watched = providerWith();
});
afterEach(async () => {
  await watched.close();
});

function providerWith(changes: Record<string, unknown> = {}): Watched {
  return providerOf(lab, { verifyWithGraph: true, graph: { url: lab.graph.url }, ...changes });
}

async function reopen(changes: Record<string, unknown>): Promise<void> {
  await watched.close();
  watched = providerWith(changes);
}

async function lookup({
  of = message,
  attemptedAt = Date.now(),
  signal = new AbortController().signal,
}: {
  of?: Message;
  attemptedAt?: number;
  signal?: AbortSignal;
} = {}): Promise<Lookup> {
  const answer = await watched.provider.lookup?.(of, of.envelope.rcptTo, attemptedAt, { signal });
  if (answer === undefined) throw new Error("the provider has no lookup");
  const text = JSON.stringify([answer, watched.notices]);
  for (const secret of [LAB_ACCOUNT.clientSecret, "eyJ", "the-content-of-the-message", "ken@example.com"]) {
    expect(text).not.toContain(secret);
  }
  return answer;
}

/** An attempt whose answer is lost: `taken` says whether Exchange has the message. */
async function loseAnswer(taken: boolean): Promise<void> {
  await lab.exchange.setFault({ kind: "drop", at: "dot", accepted: taken });
  expect(await watched.send(message)).toMatchObject({ kind: "uncertain" });
  await lab.exchange.setFault(null);
}

function another(id: string): Message {
  const messageId = `<${id}@mailover.test>`;
  const mime = message.mime.toString().replace(message.messageId, messageId).replace(message.id, id);
  return { ...message, id, messageId, mime: Buffer.from(mime) };
}

describe("a message that Exchange took", () => {
  test("is found in Sent Items by its Message-ID, in one question", async () => {
    const attemptedAt = Date.now();
    await loseAnswer(true);
    expect(await lookup({ attemptedAt })).toEqual({
      kind: "accepted",
      remoteId: message.messageId,
      evidence: expect.stringMatching(/^in Sent Items since 20\d\d-.*Z$/),
    });
    expect(questionCount()).toBe(1);
  });

  test("is found by its header where Exchange replaced the Message-ID, with the new one", async () => {
    lab.graph.setRules({ replacesMessageIds: true });
    const attemptedAt = Date.now();
    await loseAnswer(true);
    expect(await lookup({ attemptedAt })).toMatchObject({
      kind: "accepted",
      remoteId: expect.stringMatching(/prod\.outlook\.com>$/),
    });
  });

  test("is found although its Message-ID needs quoting", async () => {
    const odd = another("o'neil+1&2%20#");
    const attemptedAt = Date.now();
    await watched.send(odd);
    expect(await lookup({ of: odd, attemptedAt })).toMatchObject({ kind: "accepted", remoteId: odd.messageId });
    expect(questionCount()).toBe(1);
  });

  test("is not settled by the copy of an attempt long before", async () => {
    await watched.send(message);
    expect(await lookup({ attemptedAt: Date.now() + 5 * minuteMs })).toEqual({
      kind: "unknown",
      reason: "Sent Items holds it from before this attempt, which proves nothing of this one",
    });
  });

  test("is unknown while its copy is not there yet", async () => {
    lab.graph.setRules({ copyDelayMs: minuteMs });
    const attemptedAt = Date.now();
    await loseAnswer(true);
    expect(await lookup({ attemptedAt })).toMatchObject({ kind: "unknown" });
  });
});

describe("a message that is not in Sent Items", () => {
  const longAgo = () => Date.now() - absentAfterMs;

  test("is never absent without absentAfterMs", async () => {
    await loseAnswer(false);
    expect(await lookup({ attemptedAt: longAgo() })).toMatchObject({
      kind: "unknown",
      reason: expect.stringContaining("absentAfterMs"),
    });
  });

  test("is absent once absentAfterMs have gone by, and not before", async () => {
    await reopen({ absentAfterMs });
    await loseAnswer(false);
    await watched.send(another("other"));
    expect(await lookup({ attemptedAt: longAgo() + minuteMs })).toEqual({
      kind: "unknown",
      reason: "not in Sent Items yet, 540 s after the attempt",
    });
    expect(await lookup({ attemptedAt: longAgo() })).toEqual({
      kind: "absent",
      evidence: "not among the 1 messages that came into Sent Items within 10 min of the attempt",
    });
  });

  const doubts: readonly [doubt: string, rules: Partial<GraphRules>, want: RegExp][] = [
    [
      "a message there does not say which it is",
      { replacesMessageIds: true, showsHeaders: false },
      /may be one of them/,
    ],
    ["there are more messages than one answer holds", { pageSize: 1 }, /too many messages/],
  ];
  test.each(doubts)("is unknown where %s", async (_doubt, rules, want) => {
    await reopen({ absentAfterMs });
    lab.graph.setRules(rules);
    await watched.send(another("one"));
    await watched.send(another("two"));
    expect(await lookup({ attemptedAt: longAgo() })).toEqual({ kind: "unknown", reason: expect.stringMatching(want) });
  });

  test("is never absent where it was sent as another address, but for one mapped to the mailbox", async () => {
    const from = { name: null, address: "billing@contoso.com" };
    await reopen({ absentAfterMs, sendAs: ["@contoso.com"] });
    expect(await lookup({ of: { ...message, from }, attemptedAt: longAgo() })).toEqual({
      kind: "unknown",
      reason: `not in Sent Items; its From is not ${mailbox}, so its copy may be elsewhere`,
    });
    await reopen({ absentAfterMs, from: { "contoso.com": mailbox } });
    expect(await lookup({ of: { ...message, from }, attemptedAt: longAgo() })).toMatchObject({ kind: "absent" });
  });

  test("is absent where the others there are known by their headers", async () => {
    await reopen({ absentAfterMs });
    lab.graph.setRules({ replacesMessageIds: true });
    await watched.send(another("one"));
    expect(await lookup({ attemptedAt: longAgo() })).toMatchObject({ kind: "absent" });
  });
});

describe("what Graph answers when it tells nothing is unknown, never absent", () => {
  const answers: readonly [rule: string, trouble: HttpFault | Partial<GraphRules>, want: RegExp][] = [
    ["no right to read the mailbox", { readable: [] }, /HTTP 403 ErrorAccessDenied\. .*New-ManagementRoleAssignment/],
    ["no such mailbox", { mailboxes: [] }, /HTTP 404 ErrorInvalidUser\. .*noreply@contoso\.com/],
    ["too many questions", { kind: "response", status: 429, headers: { "retry-after": "17" } }, /HTTP 429\. .*17 s/],
    ["a fault of its own", { kind: "response", status: 503, body: { error: { code: "x" } } }, /HTTP 503 x$/],
    ["a page that is none of its own", { kind: "response", status: 200, body: "<html>login</html>" }, /no list/],
    ["an object that is no list", { kind: "response", status: 200, body: { value: "eyJ.x" } }, /no list/],
    ["a list of other things", { kind: "response", status: 200, body: { value: [{ id: "1" }] } }, /no list/],
    [
      "a token it never takes",
      { kind: "response", status: 401, body: { error: { code: "InvalidX" } } },
      /401 InvalidX/,
    ],
    ["no listener", { kind: "refuse" }, /ECONNREFUSED/],
    ["a drop", { kind: "drop" }, /socket hang up/],
    ["silence", { kind: "silence" }, /no answer within 200 ms/],
  ];
  test.each(answers)("%s", async (_rule, trouble, want) => {
    // On a busy machine an answer may take long; only of silence the end is awaited.
    const graphMs = "kind" in trouble && trouble.kind === "silence" ? 200 : 10_000;
    await reopen({ absentAfterMs, timeouts: { graphMs } });
    if ("kind" in trouble) await lab.graph.setFault(trouble);
    else lab.graph.setRules(trouble);
    expect(await lookup({ attemptedAt: Date.now() - 2 * absentAfterMs })).toEqual({
      kind: "unknown",
      reason: expect.stringMatching(want),
    });
  });

  test("trouble with the second question", async () => {
    await reopen({ absentAfterMs });
    await lab.graph.setFaults([
      { kind: "response", status: 200, body: { value: [] }, count: 1 },
      { kind: "response", status: 500 },
    ]);
    expect(await lookup({ attemptedAt: Date.now() - 2 * absentAfterMs })).toMatchObject({ kind: "unknown" });
    expect(questionCount()).toBe(2);
  });
});

describe("the token", () => {
  test("is one of its own, asked for once and only when there is a question", async () => {
    await watched.send(message);
    expect(lab.entra.tokenRequestCount()).toBe(1);
    await lookup();
    await lookup();
    expect(lab.entra.tokenRequestCount()).toBe(2);
    expect(watched.notices.map(({ event }) => event)).toEqual(["token.acquired", "graph.token.acquired"]);
  });

  test("is renewed once where Graph no longer takes it", async () => {
    await watched.send(message);
    expect(await lookup()).toMatchObject({ kind: "accepted" });
    lab.entra.revokeTokens();
    expect(await lookup()).toMatchObject({ kind: "accepted" });
  });

  test("for another resource is not taken, and the settings are named", async () => {
    await reopen({ graph: { url: lab.graph.url, scope: LAB_ACCOUNT.scope } });
    expect(await lookup()).toEqual({
      kind: "unknown",
      reason: expect.stringMatching(/HTTP 401 InvalidAuthenticationToken\. .*graph\.scope/),
    });
  });

  test("that is not to be had leaves it unknown, with the remedy", async () => {
    await lab.entra.setFault({ kind: "aadsts", aadsts: 7000222 });
    expect(await lookup()).toEqual({
      kind: "unknown",
      reason: expect.stringMatching(/^no token for Microsoft Graph: .*AADSTS7000222.* secret/),
    });
  });
});

describe("a look-up ends", () => {
  test("when it is stopped, while it waits for a token or for Graph", async () => {
    for (const silent of [lab.entra, lab.graph]) {
      await lab.entra.setFault(null);
      await silent.setFault({ kind: "silence" });
      const { length } = silent.transcript;
      const stop = new AbortController();
      const pending = lookup({ signal: stop.signal });
      await expect.poll(() => silent.transcript.length).toBeGreaterThan(length);
      stop.abort();
      expect(await pending).toMatchObject({ kind: "unknown" });
      await reopen({});
    }
  });

  test("at once when it was stopped before", async () => {
    expect(await lookup({ signal: AbortSignal.abort() })).toMatchObject({ kind: "unknown" });
    expect(questionCount()).toBe(0);
  });

  test("when the provider closes, and leaves no connection", async () => {
    await lab.graph.setFault({ kind: "silence" });
    const pending = lookup();
    await expect.poll(questionCount, { timeout: 10_000 }).toBe(1);
    await watched.close();
    expect(await pending).toEqual({ kind: "unknown", reason: expect.stringContaining("the look-up was stopped") });
    await expect.poll(() => lab.graph.connections, { timeout: 10_000 }).toBe(0);
    expect(await lookup()).toMatchObject({ kind: "unknown" });
  });
});

test("sends no mail", async () => {
  await lookup();
  expect(lab.exchange.accepted).toEqual([]);
  expect(lab.exchange.connections).toBe(0);
});

test("without verifyWithGraph there is none to call", async () => {
  await reopen({ verifyWithGraph: false });
  expect(watched.provider.lookup).toBeUndefined();
});

function questionCount(): number {
  return lab.graph.transcript.filter(({ from }) => from === "client").length;
}
