import type { Cause } from "./cause.ts";
import type { DeliveryRecord } from "./record.ts";
import type { Outcome } from "./outcome.ts";
import type { Stage } from "./stage.ts";

export type BreakerState = "closed" | "open" | "half-open";

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
      readonly type: "provider.noticed";
      readonly provider: string;
      readonly notice: string;
      readonly fields: Readonly<Record<string, string | number | boolean>>;
    };

export type Emit = (event: GatewayEvent) => void;
