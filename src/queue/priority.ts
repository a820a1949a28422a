import { MESSAGE_CLASSES } from "../core/index.ts";
import type { MessageClass } from "../core/index.ts";

/**
 * BullMQ priorities: lower goes first, and 0, which a job has whose app set none, goes before them all. Fresh mail of a
 * class goes before its retries. Gaps leave room for an operator's own.
 */
const PRIORITIES: Record<MessageClass, { readonly fresh: number; readonly retried: number }> = {
  otp: { fresh: 10, retried: 20 },
  transactional: { fresh: 30, retried: 40 },
  bulk: { fresh: 50, retried: 60 },
};

export function freshPriority(messageClass: MessageClass): number {
  return PRIORITIES[messageClass].fresh;
}

export function retriedPriority(messageClass: MessageClass): number {
  return PRIORITIES[messageClass].retried;
}

/**
 * The priority a job is to be sorted to before it is worked on, or null when it may be worked on as it is. Apps in other
 * languages push without a priority, so that all their jobs stand in one row: bulk mail would delay a password. The most
 * urgent class is never sent back.
 */
export function sortTo(data: unknown, priority: number): number | null {
  const messageClass = classOf(data);
  if (messageClass === "otp") return null;
  const { fresh, retried } = PRIORITIES[messageClass];
  return priority === fresh || priority === retried ? null : fresh;
}

/** The class that unchecked data names, or the default. */
export function classOf(data: unknown): MessageClass {
  const named = typeof data === "object" && data !== null && "class" in data ? data.class : undefined;
  return MESSAGE_CLASSES.find((messageClass) => messageClass === named) ?? "transactional";
}
