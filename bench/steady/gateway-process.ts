import { monitorEventLoopDelay } from "node:perf_hooks";
import { providerDefinitions } from "../../providers/index.ts";
import { startGateway } from "../../src/app.ts";
import { checkConfig } from "../../src/config/index.ts";
import { Log } from "../../src/telemetry/log.ts";
import { serve } from "./child.ts";

/** The histogram records the time from one tick of a timer to the next, so an idle loop shows this much. */
const RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;

/** The gateway as `mailover start` runs it, with its log on, which can also tell how it fares. */
const result = checkConfig(JSON.parse(process.argv[2] ?? "{}") as Record<string, unknown>, providerDefinitions);
if (!result.ok) throw new Error(JSON.stringify(result.findings));
const { config } = result;
const gateway = await startGateway({
  config,
  definitions: providerDefinitions,
  log: new Log(config.log),
  environment: "bench",
});
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
const excessMs = (ns: number): number => Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);

serve<"gateway">(
  {},
  {
    loopDelay: () => ({
      p50Ms: excessMs(delay.percentile(50)),
      p99Ms: excessMs(delay.percentile(99)),
      longestMs: excessMs(delay.max),
    }),
    memory: async () => {
      // What finalizers let go of is collected by the second one.
      globalThis.gc?.();
      await new Promise((resolve) => setImmediate(resolve));
      globalThis.gc?.();
      const { heapUsed, rss } = process.memoryUsage();
      return { heapBytes: heapUsed, rssBytes: rss };
    },
    forget: () => {
      delay.reset();
      return null;
    },
  },
  () => gateway.stop(),
);
