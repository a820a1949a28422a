import type { Cause, Failure, UncertainPolicy } from "../core/index.ts";

/**
 * What to do next about the recipients that an attempt left waiting.
 * - `failover`: the next provider of the route, in this round.
 * - `wait`: a later round, once this provider's pause is over.
 * - `defer`: a later round.
 * - `ask`: a later round, in which this provider is asked first whether it has the message.
 * - `retry`: a later round, at the same provider only.
 * - `hold`: nothing until an operator says so.
 * - `bounce`: never.
 */
export type Decision = "failover" | "wait" | "defer" | "ask" | "retry" | "hold" | "bounce";

/** What else bears on the decision, beside the failure. */
export type Circumstances = {
  /** Other providers of the route that could take the message, now or in a later round. */
  readonly othersLeft: number;
  readonly onUncertain: UncertainPolicy;
  /** Whether this provider can be asked what became of a message, and the policy is to ask. */
  readonly canAsk: boolean;
  /** Whether the message may still wait for a throttled provider. */
  readonly mayWait: boolean;
  /** Whether an earlier attempt at this provider may have been accepted, so that no other may have the message. */
  readonly pinned: boolean;
};

const elsewhereOrLater = ({ othersLeft, pinned }: Circumstances): Decision => {
  if (pinned) return "retry";
  return othersLeft > 0 ? "failover" : "defer";
};

/** One row a cause: what is done about it. */
const DECISIONS: Record<Cause, (circumstances: Circumstances, failure: Failure) => Decision> = {
  outage: elsewhereOrLater,
  busy: elsewhereOrLater,
  quota: elsewhereOrLater,
  auth: elsewhereOrLater,
  reputation: elsewhereOrLater,
  sender: elsewhereOrLater,
  throttled: (circumstances, failure) => {
    if (circumstances.pinned) return "retry";
    // A limit of one recipient's mailbox shuts no gate that could be waited for.
    if (failure.scope !== "provider") return elsewhereOrLater(circumstances);
    return circumstances.mayWait ? "wait" : elsewhereOrLater(circumstances);
  },
  recipient: () => "bounce",
  // The route holds only providers that say they take a message of this size. So did this one: it takes less than its
  // settings say, and any other may have more room.
  size: ({ othersLeft, pinned }) => (othersLeft > 0 && !pinned ? "failover" : "bounce"),
  content: ({ othersLeft, pinned }, failure) =>
    failure.elsewhere === true && othersLeft > 0 && !pinned ? "failover" : "bounce",
  uncertain: (circumstances) => {
    if (circumstances.canAsk) return "ask";
    if (circumstances.onUncertain === "hold") return "hold";
    if (circumstances.onUncertain === "retry") return "retry";
    return circumstances.othersLeft > 0 ? "failover" : "defer";
  },
};

/** Turns what went wrong into what to do next. No clock, no I/O: the whole policy is the table above. */
export function decide(failure: Failure, circumstances: Circumstances): Decision {
  return DECISIONS[failure.cause](circumstances, failure);
}
