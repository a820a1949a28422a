import assert from "node:assert/strict";
import { contentMayBeOut } from "../../core/index.ts";
import type { Stage } from "../../core/index.ts";
import { largeSample, sample } from "../samples.ts";
import type { ConformanceCase, ConformanceSubject } from "../subject.ts";
import { assertStopped, Trial } from "../trial.ts";
import type { Attempt } from "../trial.ts";
import { PROMPT_MS, within } from "../wait.ts";

export function abortCases(subject: ConformanceSubject): readonly ConformanceCase[] {
  const silent = subject.stages.filter((stage) => subject.troubles[stage]?.includes("silence"));
  return [
    {
      name: "abort: an attempt that was stopped before it began sends nothing",
      run: () =>
        Trial.run(subject, { impatient: false }, async (trial) => {
          const attempt = trial.begin(await sample(subject.from), { aborted: true });
          const outcome = await within(PROMPT_MS, "an attempt that was stopped before it began", attempt.outcome);
          assert.ok(outcome.kind === "deferred" || outcome.kind === "rejected", JSON.stringify(outcome));
        }),
    },
    ...silent.map((stage) => ({
      name: `abort: while the server is silent in stage ${stage}`,
      run: () =>
        Trial.run(subject, { impatient: false }, async (trial) => {
          await trial.fail(stage, "silence");
          const attempt = await beginFor(trial, stage);
          await attempt.reached(stage);
          attempt.abort();
          await assertStopped(attempt, stage);
          await trial.mend();
          await trial.relay(await sample(subject.from));
        }),
    })),
    ...subject.stages.map((stage) => ({
      name: `abort: at once as stage ${stage} begins`,
      run: () =>
        Trial.run(subject, { impatient: false }, async (trial) => {
          const attempt = await beginFor(trial, stage, { abortAt: stage });
          const outcome = await within(PROMPT_MS, `an attempt that was stopped in stage ${stage}`, attempt.outcome);
          // Where the content may be out the answer may have been faster.
          const expected = contentMayBeOut(stage) ? ["uncertain", "relayed"] : ["deferred", "rejected"];
          assert.ok(expected.includes(outcome.kind), `${outcome.kind}, stopped as stage ${stage} began`);
        }),
    })),
  ];
}

async function beginFor(trial: Trial, stage: Stage, options: { readonly abortAt?: Stage } = {}): Promise<Attempt> {
  const { from } = trial.subject;
  return trial.begin(stage === "content" ? await largeSample(from) : await sample(from), options);
}
