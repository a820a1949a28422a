import { closest } from "../config/closest.ts";
import { forgetRefusals } from "../gate/fleet/redis-refusals.ts";
import { withStore } from "./providers.ts";
import { loadOrExit } from "./settings.ts";

/** `mailover forget`: has all gateways offer a provider the From addresses again that it refused. */
export async function forget(name: string): Promise<void> {
  const { config } = loadOrExit();
  const { providers, pools } = config;
  const named = pools[name] ?? (name in providers ? [name] : []);
  if (named.length === 0) throw new Error(unknownProvider(name, [...Object.keys(providers), ...Object.keys(pools)]));
  await withStore(config, async (redis) => {
    const counts = await Promise.all(named.map((provider) => forgetRefusals(redis, provider)));
    const count = counts.reduce((sum, each) => sum + each, 0);
    const what = count === 0 ? "no From address was known to be" : `${count} From address(es) are no longer taken for`;
    process.stdout.write(`${name}: ${what} refused\n`);
  });
}

function unknownProvider(name: string, known: readonly string[]): string {
  const meant = closest(name, known);
  const advice = meant === null ? `there are ${known.join(", ")}` : `did you mean ${meant}?`;
  return `provider: there is no "${name}" in the configuration; ${advice}`;
}
