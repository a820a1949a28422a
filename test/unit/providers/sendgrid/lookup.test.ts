import { describe, expect, onTestFinished, test } from "vitest";
import type { Lookup, Message, Provider } from "../../../../src/core/index.ts";
import { LAB_ACCOUNT, startSendGrid } from "../../../../src/lab/index.ts";
import type { HttpFault, SendGridServer } from "../../../../src/lab/index.ts";
import { apiKey, apiThat, nowMs, providerAt, send } from "./harness.ts";
import { box, messageWith } from "./messages.ts";
import type { ScriptedStep } from "./scripted-api.ts";

const absentAfterMs = 1_800_000;
const message = messageWith();

async function lab(rules: Partial<SendGridServer["rules"]> = {}): Promise<SendGridServer> {
  const server = await startSendGrid({ clock: () => nowMs, rules });
  onTestFinished(() => server.close());
  return server;
}

function providerOf(server: SendGridServer, more: Record<string, unknown> = {}): Provider {
  return providerAt(server.url, { apiKey: LAB_ACCOUNT.sendGridKey, emailActivity: true, ...more });
}

async function lookup(
  provider: Provider,
  {
    of = message,
    recipients = of.envelope.rcptTo,
    attemptedAt = nowMs,
    signal = new AbortController().signal,
  }: { of?: Message; recipients?: readonly string[]; attemptedAt?: number; signal?: AbortSignal } = {},
): Promise<Lookup> {
  const answer = await provider.lookup?.(of, recipients, attemptedAt, { signal });
  if (answer === undefined) throw new Error("the provider has no lookup");
  const text = JSON.stringify(answer);
  for (const secret of [apiKey, LAB_ACCOUNT.sendGridKey, "Hi Ada", "@example.com"]) expect(text).not.toContain(secret);
  return answer;
}

/** An attempt whose answer is lost: `taken` says whether SendGrid has the message. */
async function loseAnswer(server: SendGridServer, provider: Provider, taken: boolean): Promise<void> {
  await server.setFault({ kind: "drop", path: "/v3/mail/send", accepted: taken });
  expect((await send(provider, message)).outcome.kind).toBe("uncertain");
  await server.setFault(null);
}

describe("a message that SendGrid took", () => {
  test("is found by its custom argument, with the id of its request", async () => {
    const server = await lab();
    const provider = providerOf(server);
    await loseAnswer(server, provider, true);
    expect(await lookup(provider)).toEqual({
      kind: "accepted",
      remoteId: server.accepted[0]?.remoteId,
      evidence: "in SendGrid's email activity as processed",
    });
  });

  test("is found under the address that the API was given", async () => {
    const server = await lab();
    const provider = providerOf(server);
    const abroad = messageWith({ to: [box("Taro@例え.jp")] });
    await send(provider, abroad);
    expect(await lookup(provider, { of: abroad })).toMatchObject({ kind: "accepted" });
  });

  test("is not settled by an earlier attempt for others, nor by another message", async () => {
    const server = await lab();
    const provider = providerOf(server, { absentAfterMs });
    await send(provider, message);
    const attemptedAt = nowMs - absentAfterMs;
    expect(await lookup(provider, { recipients: ["bob@example.com"], attemptedAt })).toMatchObject({ kind: "absent" });
    const other = messageWith({}, { id: "01OTHER" });
    expect(await lookup(provider, { of: other, attemptedAt })).toMatchObject({ kind: "absent" });
  });

  test("is unknown while the activity does not show it yet", async () => {
    const server = await lab({ activityDelayMs: 60_000 });
    const provider = providerOf(server, { absentAfterMs });
    await loseAnswer(server, provider, true);
    expect(await lookup(provider)).toEqual({
      kind: "unknown",
      reason: "not in SendGrid's email activity yet, 0 s after the attempt",
    });
  });
});

describe("a message that is not in the activity", () => {
  const cases: readonly [rule: string, absentAfterMs: number | undefined, ageMs: number, want: Lookup["kind"]][] = [
    ["is never absent without absentAfterMs", undefined, 100 * absentAfterMs, "unknown"],
    ["is unknown before absentAfterMs", absentAfterMs, absentAfterMs - 1, "unknown"],
    ["is absent from then on", absentAfterMs, absentAfterMs, "absent"],
  ];
  test.each(cases)("%s", async (_rule, limitMs, ageMs, want) => {
    const server = await lab();
    const provider = providerOf(server, { absentAfterMs: limitMs });
    await loseAnswer(server, provider, false);
    expect(await lookup(provider, { attemptedAt: nowMs - ageMs })).toMatchObject({ kind: want });
  });
});

test("the question is encoded as SendGrid asks for", async () => {
  const api = await apiThat([{ status: 200, body: { messages: [] } }]);
  await lookup(providerAt(api.url, { emailActivity: true }));
  expect(api.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "GET /v3/messages?limit=1000&query=(unique_args%5B%27mailover_id%27%5D%3D%2201HMAILOVER%22)",
  ]);
});

describe("what SendGrid answers when it tells nothing is unknown, never absent", () => {
  const row = { msg_id: "x.y", to_email: "bob@example.net", status: "delivered" };
  const answers: readonly [rule: string, step: ScriptedStep, want: RegExp][] = [
    ["a key without the permission", { status: 403, body: { errors: [{ message: "access forbidden" }] } }, /Activity;/],
    ["an unknown key", { status: 401, body: { errors: [{ message: `bad key ${apiKey}` }] } }, /bad key \*\*\*\. /],
    ["too many questions", { status: 429, body: { errors: [{ message: "too many requests" }] } }, /6 questions a min/],
    ["a query it does not take", { status: 400, body: { errors: [{ message: "error parsing" }] } }, /error parsing$/],
    ["an outage", { status: 503 }, /HTTP 503/],
    ["another kind of success", { status: 202 }, /HTTP 202/],
    ["a proxy's page", { status: 200, body: "<html>login</html>" }, /no list/],
    ["an object that is no list", { status: 200, body: { messages: "none" } }, /no list/],
    ["a list of other things", { status: 200, body: { messages: [{}] } }, /no list/],
    [
      "more rows than one answer has",
      { status: 200, body: { messages: Array.from({ length: 1_000 }, () => row) } },
      /more of it than/,
    ],
    ["half an answer", { cut: { status: 200, body: { messages: [] } } }, /email activity/],
    ["a drop", "drop", /socket hang up|ECONNRESET/],
    ["silence", "silence", /no answer within 100 ms/],
  ];
  test.each(answers)("%s", async (_rule, step, want) => {
    const api = await apiThat([step]);
    const provider = providerAt(api.url, { emailActivity: true, absentAfterMs, timeouts: { responseMs: 100 } });
    expect(await lookup(provider, { attemptedAt: nowMs - 2 * absentAfterMs })).toEqual({
      kind: "unknown",
      reason: expect.stringMatching(want),
    });
    expect(api.requests).toHaveLength(1);
  });

  test("no listener", async () => {
    const server = await lab();
    await server.setFault({ kind: "refuse" });
    const provider = providerOf(server, { absentAfterMs });
    expect(await lookup(provider, { attemptedAt: nowMs - 2 * absentAfterMs })).toMatchObject({ kind: "unknown" });
  });

  test("the seventh question in a minute", async () => {
    const server = await lab();
    const provider = providerOf(server, { absentAfterMs });
    const attemptedAt = nowMs - absentAfterMs;
    for (let asked = 0; asked < 6; asked += 1) {
      expect(await lookup(provider, { attemptedAt })).toMatchObject({ kind: "absent" });
    }
    expect(await lookup(provider, { attemptedAt })).toMatchObject({ kind: "unknown" });
  });
});

describe("a look-up ends", () => {
  const silent: HttpFault = { kind: "silence" };

  test("when it is stopped, before or while it waits", async () => {
    const server = await lab();
    await server.setFault(silent);
    const provider = providerOf(server, { absentAfterMs });
    const stop = new AbortController();
    const pending = lookup(provider, { signal: stop.signal });
    await expect.poll(() => server.transcript.length).toBe(1);
    stop.abort();
    expect(await pending).toMatchObject({ kind: "unknown" });
    expect(await lookup(provider, { signal: stop.signal })).toMatchObject({ kind: "unknown" });
    expect(server.transcript).toHaveLength(1);
  });

  test("when the provider closes", async () => {
    const server = await lab();
    await server.setFault(silent);
    const provider = providerOf(server);
    const pending = lookup(provider);
    await expect.poll(() => server.transcript.length).toBe(1);
    await provider.close();
    expect(await pending).toMatchObject({ kind: "unknown" });
    await expect.poll(() => server.connections).toBe(0);
  });
});

test("sends no mail", async () => {
  const server = await lab();
  await lookup(providerOf(server));
  expect(server.accepted).toEqual([]);
});

test("without emailActivity there is none to call, and absentAfterMs is refused", async () => {
  const server = await lab();
  expect(providerOf(server, { emailActivity: false }).lookup).toBeUndefined();
  expect(() => providerOf(server, { emailActivity: false, absentAfterMs })).toThrow(
    /means nothing without emailActivity/,
  );
});
