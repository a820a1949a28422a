import type { ThrottlePolicy } from "../core/index.ts";
import type { Config } from "./schema.ts";
import { leavesOf, valueAt } from "./tree.ts";
import type { Path } from "./tree.ts";

/** The settings in force, each as one would write it into a file. */
export function asWritten(config: Config): readonly { readonly path: Path; readonly value: unknown }[] {
  const { pools: _, ...settings } = config;
  return leavesOf(settings).map(({ path, value }) => {
    const group = path.slice(0, -1);
    return group[0] === "classes" && group.at(-1) === "whenThrottled"
      ? { path: group, value: throttleAsWritten(valueAt(config, group) as ThrottlePolicy) }
      : { path, value };
  });
}

function throttleAsWritten({ maxWaitMs }: ThrottlePolicy): unknown {
  if (maxWaitMs === 0) return "spill";
  return maxWaitMs === Infinity ? "wait" : { spillAfterMs: maxWaitMs };
}
