import { defineConfig } from "vitest/config";

/** `unit` needs nothing but Node; `system` needs redis-server and a build. */
export default defineConfig({
  test: {
    // Tests wait for time limits more than they compute: more workers than cores pay.
    maxWorkers: 4,
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/system/**"],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          // Loading the modules anew for each file took a third of the time. No test may leave anything behind in them.
          isolate: false,
        },
      },
      {
        test: {
          name: "system",
          include: ["test/system/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          // They wait for other processes most of the time, and each file has servers of its own.
          maxWorkers: 2,
        },
      },
    ],
  },
});
