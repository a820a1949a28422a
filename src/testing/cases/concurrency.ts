import assert from "node:assert/strict";
import type { Message } from "../../core/index.ts";
import { sample } from "../samples.ts";
import type { ConformanceCase, ConformanceSubject } from "../subject.ts";
import { assertStopped, Trial } from "../trial.ts";
import { until } from "../wait.ts";

/** Attempts beyond what the provider runs at once. */
const EXCESS_COUNT = 3;

export function concurrencyCases(subject: ConformanceSubject): readonly ConformanceCase[] {
  const samples = (count: number): Promise<Message[]> =>
    Promise.all(Array.from({ length: count }, () => sample(subject.from)));
  const silentStage = subject.stages.findLast((stage) => subject.troubles[stage]?.includes("silence"));
  return [
    {
      name: "concurrency: twice as many as it runs at once are relayed, each once",
      run: () =>
        Trial.run(subject, { impatient: false }, async (trial) => {
          const messages = await samples(2 * trial.provider.capabilities.maxConnections + 1);
          await Promise.all(messages.map((message) => trial.relay(message)));
        }),
    },
    ...(silentStage === undefined
      ? []
      : [
          {
            name: "concurrency: those beyond maxConnections wait in stage queue, can be stopped there, and go on",
            run: () =>
              Trial.run(subject, { impatient: false }, async (trial) => {
                const { maxConnections } = trial.provider.capabilities;
                await trial.fail(silentStage, "silence");
                const running = (await samples(maxConnections)).map((message) => trial.begin(message));
                await Promise.all(running.map((attempt) => attempt.reached(silentStage)));
                const waiting = (await samples(EXCESS_COUNT)).map((message) => trial.begin(message));
                await Promise.all(waiting.map((attempt) => attempt.reached("queue")));
                assert.ok(trial.connectionCount <= maxConnections, `it has ${trial.connectionCount} connections`);
                const [stopped, ...others] = waiting;
                assert.ok(stopped !== undefined);
                stopped.abort();
                await assertStopped(stopped, "queue");
                await trial.mend();
                for (const attempt of running) attempt.abort();
                for (const attempt of others) assert.equal((await attempt.outcome).kind, "relayed");
                await Promise.all(running.map((attempt) => assertStopped(attempt, silentStage)));
                await until("no more connections than allowed", () => trial.connectionCount <= maxConnections);
              }),
          },
        ]),
  ];
}
