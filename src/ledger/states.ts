import type { MessageStatus } from "../core/index.ts";

/** Who may move a message from one state to another. */
export type Mover = "worker" | "operator" | "app";

export type Transition = {
  /** Null: the message is not in the ledger yet. */
  readonly from: MessageStatus | null;
  readonly to: MessageStatus;
  readonly by: readonly Mover[];
  /** One sentence for people. */
  readonly when: string;
};

/** The states of a message and every way between them. What is not in here cannot happen. */
export const TRANSITIONS: readonly Transition[] = [
  { from: null, to: "relaying", by: ["worker"], when: "a worker takes the job for the first time" },
  { from: null, to: "cancelled", by: ["app", "operator"], when: "it is cancelled before a worker took it" },
  { from: "relaying", to: "relaying", by: ["worker"], when: "another worker takes over from one that died" },
  { from: "relaying", to: "relayed", by: ["worker"], when: "no recipient waits any more and one at least was relayed" },
  { from: "relaying", to: "bounced", by: ["worker"], when: "every recipient was refused for good" },
  { from: "relaying", to: "expired", by: ["worker"], when: "its time is over" },
  { from: "relaying", to: "deferred", by: ["worker"], when: "no provider can take it now" },
  { from: "relaying", to: "held", by: ["worker"], when: "a provider may have accepted it and its policy is hold" },
  { from: "deferred", to: "relaying", by: ["worker"], when: "its next round is due" },
  { from: "deferred", to: "cancelled", by: ["app", "operator"], when: "it is cancelled while it waits" },
  { from: "held", to: "relaying", by: ["worker"], when: "it was released, or its time is over" },
  { from: "held", to: "cancelled", by: ["app", "operator"], when: "it is dropped" },
  { from: "bounced", to: "relaying", by: ["worker"], when: "the operator had the job retried" },
  { from: "expired", to: "relaying", by: ["worker"], when: "the operator had the job retried" },
];

/** States that a message does not leave by itself. */
export const FINAL: readonly MessageStatus[] = ["relayed", "bounced", "expired", "cancelled"];

export function isFinal(status: MessageStatus): boolean {
  return FINAL.includes(status);
}

export function mayMove(from: MessageStatus | null, to: MessageStatus, by: Mover): boolean {
  return TRANSITIONS.some(
    (transition) => transition.from === from && transition.to === to && transition.by.includes(by),
  );
}
