import assert from "node:assert/strict";
import type { Stage } from "../../core/index.ts";
import { assertInOrder } from "../expectations.ts";
import { sample } from "../samples.ts";
import type { ConformanceCase, ConformanceSubject } from "../subject.ts";
import { assertLostBy, Trial } from "../trial.ts";
import { PROMPT_MS, until, within } from "../wait.ts";
import { troublesOf } from "./failures.ts";

export function verificationCases(subject: ConformanceSubject): readonly ConformanceCase[] {
  const broken = troublesOf(subject).filter(
    ([stage, trouble]) => subject.verifyStages.includes(stage) && !trouble.startsWith("take-"),
  );
  const silentStage = broken.find(([, trouble]) => trouble === "silence")?.[0];
  return [
    {
      name: "verify(): a provider that works, also while it sends",
      run: () =>
        Trial.run(subject, { impatient: false }, async (trial) => {
          const reported: Stage[] = [];
          const verification = await trial.verify({ onStage: (stage) => void reported.push(stage) });
          assert.ok(verification.ok, JSON.stringify(verification));
          assertInOrder(verification.stages);
          assert.deepEqual([...new Set(verification.stages)], subject.verifyStages);
          assert.deepEqual(reported, verification.stages, "the stages reported are not those returned");
          await trial.relay(await sample(subject.from));
          assert.ok((await trial.verify()).ok);
        }),
    },
    ...broken.map(([stage, trouble]) => ({
      name: `verify(): ${trouble} in stage ${stage}`,
      run: () =>
        Trial.run(subject, { impatient: trouble === "silence" }, async (trial) => {
          await trial.fail(stage, trouble);
          const verification = await trial.verify();
          assert.ok(!verification.ok, `it works, in spite of ${trouble} in stage ${stage}`);
          if (trouble === "drop") assertLostBy(verification.failure, stage);
          else assert.equal(verification.failure.stage, stage);
          await trial.mend();
          assert.ok((await trial.verify()).ok, "it is mended, and does not work");
        }),
    })),
    ...(silentStage === undefined
      ? []
      : [
          {
            name: "verify(): stopped, it ends soon",
            run: () =>
              Trial.run(subject, { impatient: false }, async (trial) => {
                await trial.fail(silentStage, "silence");
                const controller = new AbortController();
                const stages: Stage[] = [];
                const checking = trial.verify({
                  signal: controller.signal,
                  onStage: (stage) => void stages.push(stage),
                });
                await until(`the check comes to stage ${silentStage}`, () => stages.at(-1) === silentStage);
                controller.abort();
                assert.ok(!(await within(PROMPT_MS, "a check that was stopped", checking)).ok);
              }),
          },
        ]),
  ];
}
