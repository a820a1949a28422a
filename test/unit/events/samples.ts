import type { DeliveryRecord } from "../../../src/core/index.ts";
import type { EndpointSettings, MessageEvent } from "../../../src/events/webhooks/endpoint.ts";

export const KEY = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
export const NEXT_KEY = `whsec_${Buffer.alloc(32, 2).toString("base64")}`;

export function endpoint(url: string, more: Partial<EndpointSettings> = {}): EndpointSettings {
  return { url, secret: [KEY], events: ["message.relayed", "message.bounced"], timeoutMs: 5_000, ...more };
}

export function record(more: Partial<DeliveryRecord> = {}): DeliveryRecord {
  return {
    status: "bounced",
    id: "m-1",
    messageId: "<m-1@contoso.example>",
    provider: null,
    remoteId: null,
    recipients: [
      { address: "ann@example.org", status: "refused", provider: "relay", reason: "550 5.1.1 No such user" },
    ],
    attempts: [
      {
        number: 1,
        provider: "relay",
        startedAt: "2026-11-24T04:00:00.000Z",
        endedAt: "2026-11-24T04:00:01.000Z",
        outcome: "rejected",
        stage: "rcpt",
        cause: "recipient",
        status: "5.1.1",
        reply: "550 5.1.1 No such user",
        remoteId: null,
        remedy: "Correct the address.",
      },
    ],
    attemptCount: 1,
    deferralCount: 0,
    skipped: [],
    reason: "550 5.1.1 No such user",
    nextAttemptAt: null,
    possibleDuplicate: false,
    uncertainAt: null,
    unsettled: false,
    lookupCount: 0,
    refusedBy: [],
    throttledSince: null,
    metadata: { orderId: 7 },
    ...more,
  };
}

export function event(
  type: MessageEvent["type"] = "message.bounced",
  more: Partial<DeliveryRecord> = {},
): MessageEvent {
  return { type, id: "m-1", jobId: "17", tags: ["order"], tenant: null, record: record(more) };
}
