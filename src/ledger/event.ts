import type { AttemptRecord, DeliveryRecord, MessageClass, MessageStatus } from "../core/index.ts";

/** What an event changes in a message's record: the fields that differ, and of the recipients those that differ. */
export type RecordChange = Partial<Omit<DeliveryRecord, "id" | "messageId" | "attempts" | "metadata">>;

/** One entry of a message's log. `at` is epoch milliseconds, `by` the worker, or the person, who wrote it. */
export type LedgerEvent =
  | {
      readonly type: "message.received";
      readonly at: number;
      readonly by: string;
      readonly messageId: string;
      readonly class: MessageClass;
      readonly recipients: readonly string[];
    }
  | {
      readonly type: "attempt.started";
      readonly at: number;
      readonly by: string;
      readonly number: number;
      readonly provider: string;
    }
  | {
      readonly type: "attempt.ended";
      readonly at: number;
      readonly by: string;
      readonly attempt: AttemptRecord;
      readonly change: RecordChange;
    }
  | {
      readonly type: `message.${Exclude<MessageStatus, "relaying">}` | "message.released" | "message.retried";
      readonly at: number;
      readonly by: string;
      readonly change: RecordChange;
    };
