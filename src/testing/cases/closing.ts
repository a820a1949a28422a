import assert from "node:assert/strict";
import { largeSample, sample } from "../samples.ts";
import type { ConformanceCase, ConformanceSubject } from "../subject.ts";
import { assertStopped, Trial } from "../trial.ts";
import { END_MS, within } from "../wait.ts";

export function closingCases(subject: ConformanceSubject): readonly ConformanceCase[] {
  const silent = subject.stages.filter((stage) => subject.troubles[stage]?.includes("silence"));
  const trial = (name: string, body: (trial: Trial) => Promise<void>): ConformanceCase => ({
    name: `close(): ${name}`,
    run: () => Trial.run(subject, { impatient: false }, body),
  });
  return [
    trial("ends kept connections, and can be called again, also at the same time", async (trial) => {
      await trial.relay(await sample(subject.from));
      await within(END_MS, "close() twice at once", Promise.all([trial.provider.close(), trial.provider.close()]));
      await trial.close();
    }),
    trial("of one that was never used", (trial) => trial.close()),
    trial("what comes after it fails, and connects no more", async (trial) => {
      await trial.close();
      const outcome = await trial.send(await sample(subject.from));
      assert.ok(outcome.kind === "deferred" || outcome.kind === "rejected", JSON.stringify(outcome));
      assert.ok(!(await trial.verify()).ok, "a closed provider says that it works");
      assert.equal(trial.connectionCount, 0);
    }),
    ...silent.map((stage) =>
      trial(`stops an attempt in stage ${stage}`, async (trial) => {
        await trial.fail(stage, "silence");
        const attempt = trial.begin(stage === "content" ? await largeSample(subject.from) : await sample(subject.from));
        await attempt.reached(stage);
        await trial.close();
        await assertStopped(attempt, stage);
      }),
    ),
  ];
}
