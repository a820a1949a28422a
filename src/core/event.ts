import type { Cause } from "./cause.ts";
import type { DeliveryRecord } from "./record.ts";
import type { Outcome } from "./outcome.ts";
import type { Stage } from "./stage.ts";

export type BreakerState = "closed" | "open" | "half-open";

export type FleetStateName = "closed" | "open" | "ramp";

/** What happens in the gateway, in the past tense. Instants are epoch milliseconds; nothing in here is a secret or content. */
export type GatewayEvent =
  | { readonly type: "message.received"; readonly id: string; readonly messageId: string; readonly jobId: string }
  | { readonly type: "message.refused"; readonly jobId: string; readonly reason: string }
  | { readonly type: "attempt.started"; readonly id: string; readonly attempt: number; readonly provider: string }
  | {
      readonly type: "attempt.ended";
      readonly id: string;
      readonly attempt: number;
      readonly provider: string;
      readonly outcome: Outcome["kind"];
      readonly stage: Stage;
      readonly cause: Cause | null;
      readonly status: string | null;
      readonly reply: string;
      /** Null where no rule knew the reply. */
      readonly rule: string | null;
      readonly remedy: string | null;
      readonly durationMs: number;
    }
  | {
      readonly type:
        | "message.relayed"
        | "message.deferred"
        | "message.held"
        | "message.bounced"
        | "message.expired"
        | "message.cancelled";
      readonly id: string;
      readonly jobId: string;
      readonly tags: readonly string[];
      readonly tenant: string | null;
      readonly record: DeliveryRecord;
    }
  | {
      readonly type: "breaker.changed";
      readonly provider: string;
      readonly from: BreakerState;
      readonly to: BreakerState;
      readonly reason: string;
      readonly remedy: string | null;
      /** When it is probed next, while open. */
      readonly untilAt: number | null;
    }
  | {
      readonly type: "probe.ended";
      readonly provider: string;
      readonly ok: boolean;
      readonly stage: Stage | null;
      readonly reason: string;
    }
  | {
      readonly type: "gate.paused";
      readonly provider: string;
      readonly cause: "throttled" | "quota";
      readonly untilAt: number;
      readonly reason: string;
    }
  | {
      /** What the fleet holds of a provider. `ramp`: a probe went well, a growing share of its mail goes there. */
      readonly type: "fleet.changed";
      readonly provider: string;
      readonly from: FleetStateName;
      readonly to: FleetStateName;
      readonly reason: string;
      readonly remedy: string | null;
      /** When it is probed next, while open. */
      readonly untilAt: number | null;
    }
  | {
      /** On its way back a provider gets so many percent of its mail; 100: all of it again. */
      readonly type: "ramp.stepped";
      readonly provider: string;
      readonly percent: number;
    }
  | {
      /** A provider far slower than it usually is gets so many percent of its mail; 100: as usual again. */
      readonly type: "gate.slowed";
      readonly provider: string;
      readonly percent: number;
      readonly reason: string;
    }
  | {
      /** The pace at one provider fell, since it said that we are too fast, or recovered. */
      readonly type: "limit.changed";
      readonly provider: string;
      readonly perMinute: number;
      readonly reason: string;
    }
  | {
      /** At the present rate a quota is used up before it is renewed. */
      readonly type: "quota.warned";
      readonly provider: string;
      readonly window: "day" | "month";
      readonly used: number;
      readonly limit: number;
      readonly emptyAt: number;
    }
  | {
      /** Somebody changed something at run time. */
      readonly type: "control.changed";
      readonly version: number;
      readonly by: string;
      readonly sentence: string;
    }
  | {
      readonly type: "cutover.stepped";
      readonly to: string;
      readonly percent: number;
      readonly state: "running" | "done" | "rolled back";
      readonly reason: string;
    }
  | {
      readonly type: "provider.noticed";
      readonly provider: string;
      readonly notice: string;
      readonly fields: Readonly<Record<string, string | number | boolean>>;
    };

export type Emit = (event: GatewayEvent) => void;
