import { providerDefinitions } from "../../providers/index.ts";
import { createProviders } from "../assembly/providers.ts";
import { formatNotice, formatVerification, verifyProvider } from "../operations/verify.ts";
import { loadOrExit } from "./settings.ts";

/** Longer than a probe's: the person who asks wants the stage it breaks at, not a time-out of ours. */
const TIME_LIMIT_MS = 60_000;

/** `mailover verify`: token, connection, TLS, login of each provider, or member of a pool. Exit code 1 when one fails. */
export async function verify(asked: readonly string[]): Promise<void> {
  const { config } = loadOrExit();
  const names = asked.flatMap((name) => config.pools[name] ?? [name]);
  const unknown = names.filter((name) => !(name in config.providers));
  if (unknown.length > 0) {
    throw new Error(
      `no provider is called ${unknown.join(", ")}; there are: ${Object.keys(config.providers).join(", ")}`,
    );
  }
  const notices: { readonly provider: string; readonly text: string | null }[] = [];
  const all = createProviders(config, providerDefinitions, (event) => {
    if (event.type === "provider.noticed") notices.push({ provider: event.provider, text: formatNotice(event) });
  });
  for (const { provider } of all) {
    if (names.length > 0 && !names.includes(provider.name)) continue;
    const report = await verifyProvider(provider, TIME_LIMIT_MS);
    process.stdout.write(`${formatVerification(report)}\n`);
    for (const { text } of notices.filter((notice) => notice.provider === provider.name)) {
      if (text !== null) process.stdout.write(`${text}\n`);
    }
    if (!report.verification.ok) process.exitCode = 1;
  }
  await Promise.all(all.map(({ provider }) => provider.close()));
}
