import { expect, test } from "vitest";
import { conformanceCases } from "../../src/testing/index.ts";
import type { ConformanceSubject } from "../../src/testing/index.ts";

/** The suite as tests, each of which must also leave no timer behind. */
export function testConformance(subject: ConformanceSubject): void {
  for (const { name, run } of conformanceCases(subject)) {
    test(name, async () => {
      const before = timerCount();
      await run();
      expect(timerCount()).toBeLessThanOrEqual(before);
    });
  }
}

/** Timers that keep this process alive. */
function timerCount(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}
