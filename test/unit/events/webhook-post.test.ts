import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bodyOf } from "../../../src/events/webhooks/payload.ts";
import { post } from "../../../src/events/webhooks/post.ts";
import { startReceiver } from "./receiver.ts";
import type { Answer, Receiver } from "./receiver.ts";
import { KEY, NEXT_KEY, endpoint, event } from "./samples.ts";

let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
});

afterEach(() => receiver.close());

const body = bodyOf(event(), Date.parse("2026-11-24T04:00:02.000Z"));
const delivery = { eventId: "evt_1", type: "message.bounced", id: "m-1", body };
const going = (signal = new AbortController().signal) => ({ signal, clock: Date.now });

function verified(key: string): unknown {
  const request = receiver.requests.at(-1);
  return new Webhook(key).verify(request?.body ?? "", (request?.headers ?? {}) as Record<string, string>);
}

describe("a request", () => {
  test("is verified by the library of Standard Webhooks, and says what became of the message", async () => {
    expect(await post(endpoint(receiver.url), delivery, going())).toEqual({ kind: "accepted" });
    expect(verified(KEY)).toEqual({
      type: "message.bounced",
      timestamp: "2026-11-24T04:00:02.000Z",
      data: {
        id: "m-1",
        messageId: "<m-1@contoso.example>",
        jobId: "17",
        status: "bounced",
        provider: null,
        remoteId: null,
        recipients: [
          { address: "ann@example.org", status: "refused", provider: "relay", reason: "550 5.1.1 No such user" },
        ],
        reason: "550 5.1.1 No such user",
        remedy: "Correct the address.",
        attemptCount: 1,
        nextAttemptAt: null,
        possibleDuplicate: false,
        tags: ["order"],
        tenant: null,
        metadata: { orderId: 7 },
      },
    });
    expect(receiver.requests[0]?.headers).toMatchObject({ "webhook-id": "evt_1", "content-type": "application/json" });
  });

  test("is not verified by another key, nor with another body", async () => {
    await post(endpoint(receiver.url), delivery, going());
    expect(() => verified(NEXT_KEY)).toThrow("No matching signature");
    const headers = receiver.requests[0]?.headers as Record<string, string>;
    expect(() => new Webhook(KEY).verify(body.replace("bounced", "relayed"), headers)).toThrow("No matching signature");
  });

  test("is signed by each key while one takes over from another", async () => {
    await post(endpoint(receiver.url, { secret: [NEXT_KEY, KEY] }), delivery, going());
    expect(verified(KEY)).toEqual(verified(NEXT_KEY));
  });

  test("carries its own instant, not the event's", async () => {
    await post(endpoint(receiver.url), delivery, { ...going(), clock: () => 1_800_000_000_999 });
    expect(receiver.requests[0]?.headers["webhook-timestamp"]).toBe("1800000000");
  });

  test("carries what the event knows of the submission", () => {
    const told = { ...event(), jobId: "17", tags: ["invoice"], tenant: "fabrikam" };
    expect(JSON.parse(bodyOf(told, 0)).data).toMatchObject({ jobId: "17", tags: ["invoice"], tenant: "fabrikam" });
  });
});

describe("an answer", () => {
  const cases: readonly [answer: Answer, result: object][] = [
    [200, { kind: "accepted" }],
    [202, { kind: "accepted" }],
    [400, { kind: "failed", reason: "answered 400" }],
    [410, { kind: "failed", reason: "answered 410: it is gone; take it out of the configuration" }],
    [503, { kind: "failed", reason: "answered 503" }],
    ["drop", { kind: "failed", reason: "cannot be reached: UND_ERR_SOCKET" }],
    ["silence", { kind: "failed", reason: "no answer within 200 ms" }],
  ];
  test.each(cases)("%s", async (answer, result) => {
    receiver.answers.push(answer);
    expect(await post(endpoint(receiver.url, { timeoutMs: 200 }), delivery, going())).toEqual(result);
  });

  test("that redirects is not followed", async () => {
    const elsewhere = await startReceiver();
    receiver.answers.push({ redirect: elsewhere.url });
    const result = await post(endpoint(receiver.url), delivery, going());
    expect(result).toMatchObject({ kind: "failed", reason: expect.stringContaining("redirects are not followed") });
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.close();
  });

  test("that nobody gives names the error", async () => {
    await receiver.close();
    const result = await post(endpoint(receiver.url), delivery, going());
    expect(result).toEqual({ kind: "failed", reason: "cannot be reached: ECONNREFUSED" });
    receiver = await startReceiver();
  });

  test("is no longer waited for when the gateway stops", async () => {
    receiver.answers.push("silence");
    expect(await post(endpoint(receiver.url), delivery, going(AbortSignal.timeout(100)))).toEqual({ kind: "stopped" });
  });
});
