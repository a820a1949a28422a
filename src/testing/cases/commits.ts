import assert from "node:assert/strict";
import { contentMayBeOut } from "../../core/index.ts";
import type { Message, Stage } from "../../core/index.ts";
import { largeSample, sample } from "../samples.ts";
import type { ConformanceCase, ConformanceSubject } from "../subject.ts";
import { failureOf, Trial } from "../trial.ts";
import { PROMPT_MS, within } from "../wait.ts";

/** The question before the last bytes leave: a worker that lost the message must not send it. */
export function commitCases(subject: ConformanceSubject): readonly ConformanceCase[] {
  const trial = (name: string, body: (trial: Trial) => Promise<void>): ConformanceCase => ({
    name: `commit: ${name}`,
    run: () => Trial.run(subject, { impatient: false }, body),
  });
  const refused = (name: string, make: () => Promise<Message>, commit: () => Promise<boolean>): ConformanceCase =>
    trial(name, async (trial) => {
      const outcome = await trial.send(await make(), { commit });
      failureOf(outcome);
      assert.notEqual(outcome.kind, "uncertain", "nothing can be out that was not allowed to go");
      await trial.relay(await sample(subject.from), { commit: async () => true });
    });
  const small = (): Promise<Message> => sample(subject.from);
  return [
    trial("it is asked before the content may be out, also on a kept connection", async (trial) => {
      for (const message of [await small(), await small(), await largeSample(subject.from)]) {
        const asked: (Stage | undefined)[] = [];
        await trial.relay(message, {
          commit: async ({ stages }) => {
            asked.push(stages.find(contentMayBeOut));
            return true;
          },
        });
        assert.equal(asked.length, 1, `asked ${asked.length} times`);
        assert.equal(asked[0], undefined, `asked when it was in stage ${asked[0]} already`);
      }
    }),
    refused("refused, nothing is sent", small, async () => false),
    refused(
      "refused, nothing is sent of large content",
      () => largeSample(subject.from),
      async () => false,
    ),
    refused("a question that fails is a refusal", small, () => Promise.reject(new Error("no Redis"))),
    trial("an attempt that is stopped while it waits for the answer sends nothing", async (trial) => {
      const attempt = trial.begin(await small(), {
        commit: async ({ abort }) => {
          abort();
          return true;
        },
      });
      const outcome = await within(PROMPT_MS, "an attempt that was stopped at its commit", attempt.outcome);
      failureOf(outcome);
      assert.notEqual(outcome.kind, "uncertain", "it was stopped before anything could be out");
    }),
  ];
}
