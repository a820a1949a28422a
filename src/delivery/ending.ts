import type { DeliveryRecord } from "../core/index.ts";
import { ended } from "./record.ts";
import type { Resolution } from "./round.ts";

/** Nobody waits any more: each recipient was relayed or refused. */
export function done(record: DeliveryRecord): Resolution {
  const refused = record.recipients.find(({ status }) => status === "refused");
  return { kind: "ended", record: ended(record, "bounced", refused?.reason ?? "") };
}

export function expired(record: DeliveryRecord): Resolution {
  const last = record.reason === null ? "no attempt was made in time" : `it last waited because of ${record.reason}`;
  return { kind: "ended", record: ended(record, "expired", last) };
}

export function noProvider(record: DeliveryRecord): Resolution {
  const reasons = record.skipped.map(({ provider, reason }) => `${provider}: ${reason}`).join("; ");
  return { kind: "ended", record: ended(record, "bounced", `no provider can take this message: ${reasons}`) };
}
