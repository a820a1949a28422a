import type { Config } from "../config/index.ts";
import type { Emit, Provider, ProviderDefinition, RoutingSettings, SharedCache } from "../core/index.ts";

/** Makes the providers that a configuration names; without a cache they share nothing. Nothing is connected yet. */
export function createProviders(
  config: Config,
  definitions: readonly ProviderDefinition[],
  emit: Emit,
  cache?: SharedCache,
): ({ readonly provider: Provider } & RoutingSettings)[] {
  return Object.entries(config.providers).map(([name, settings]) => {
    const definition = definitions.find(({ kind }) => kind === settings.kind);
    if (definition === undefined) throw new Error(`providers.${name}.kind: "${settings.kind}" is no kind of provider`);
    const provider = definition.create(name, settings, {
      clock: Date.now,
      notice: (notice, fields) => emit({ type: "provider.noticed", provider: name, notice, fields }),
      ...(cache === undefined ? {} : { cache }),
    });
    return { provider, priority: settings.priority, weight: settings.weight, limits: settings.limits };
  });
}
