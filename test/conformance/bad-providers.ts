import { CAUSES } from "../../src/core/index.ts";
import type { Failure, Message, Outcome, Provider, SendOptions, Transmission } from "../../src/core/index.ts";
import type { Bench, ConformanceSubject } from "../../src/testing/index.ts";

/** What a bad provider does in place of the good one that it is made of. */
export type Badness = (good: Provider, bench: Bench) => Partial<Provider>;

/** The same subject with its provider made bad. */
export function spoil(subject: ConformanceSubject, badness: Badness): ConformanceSubject {
  return {
    ...subject,
    open: async (options) => {
      const bench = await subject.open(options);
      const { provider: good } = bench;
      const provider: Provider = {
        name: good.name,
        kind: good.kind,
        capabilities: good.capabilities,
        declines: (message) => good.declines(message),
        send: (transmission, options) => good.send(transmission, options),
        verify: (options) => good.verify(options),
        close: () => good.close(),
        ...badness(good, bench),
      };
      // Not spread: what a bench gives may change while it is open.
      return Object.create(bench, { provider: { value: provider } }) as Bench;
    },
  };
}

/** Changes what comes of an attempt. */
export function outcomes(change: (outcome: Outcome, bench: Bench) => Outcome): Badness {
  return (good, bench) => ({ send: async (...attempt) => change(await good.send(...attempt), bench) });
}

/** Changes the failure of an attempt, and its kind along with its cause. */
export function failures(change: (failure: Failure, bench: Bench) => Partial<Failure>): Badness {
  return outcomes((outcome, bench) => {
    if (outcome.kind === "relayed") return outcome;
    const failure = { ...outcome.failure, ...change(outcome.failure, bench) };
    return { kind: CAUSES[failure.cause].kind, failure, refused: outcome.refused };
  });
}

/** Changes what an attempt is given. */
export function attempts(
  change: (transmission: Transmission, options: SendOptions) => readonly [Transmission, SendOptions],
): Badness {
  return (good) => ({ send: (...attempt) => good.send(...change(...attempt)) });
}

/** Changes the bytes of the message. */
export function messages(change: (mime: string) => string): Badness {
  const changed = (message: Message): Message => ({
    ...message,
    mime: Buffer.from(change(message.mime.toString("latin1")), "latin1"),
  });
  return attempts(({ message, recipients }, options) => [{ message: changed(message), recipients }, options]);
}

export const never = new AbortController().signal;
