import { closest } from "../config/closest.ts";
import { checkName } from "../control/checks.ts";
import { membersOf } from "../control/pools.ts";
import { forgetRefusals } from "../gate/fleet/redis-refusals.ts";
import { withStore } from "./providers.ts";
import { loadOrExit } from "./settings.ts";

/** `mailover forget`: has all gateways offer a provider the From addresses again that it refused. */
export async function forget(name: string): Promise<void> {
  const { config } = loadOrExit();
  const { pools } = config;
  const refusal = checkName(name, { providers: Object.keys(config.providers), pools, suggest: closest });
  if (refusal !== null) throw new Error(refusal.sentence);
  await withStore(config, async (redis) => {
    const counts = await Promise.all(membersOf(name, pools).map((provider) => forgetRefusals(redis, provider)));
    process.stdout.write(`${sentenceOf(name, Math.max(...counts))}\n`);
  });
}

function sentenceOf(name: string, count: number): string {
  if (count === 0) return `${name}: no refused From address was remembered`;
  return `${name}: ${count === 1 ? "the refused From address is" : `${count} refused From addresses are`} forgotten`;
}
