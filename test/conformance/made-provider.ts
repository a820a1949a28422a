import type { Provider, ProviderDefinition, RoutingSettings } from "../../src/core/index.ts";

/** A provider of a definition, made as the gateway makes it, and what it wrote. */
export function makeProvider<S extends RoutingSettings>(
  definition: ProviderDefinition<S>,
  input: object,
): { readonly provider: Provider; logged(): string } {
  const settings = definition.settings.safeParse({ kind: definition.kind, ...input });
  if (!settings.success) throw new Error(JSON.stringify(settings.error.issues));
  const notices: unknown[] = [];
  const provider = definition.create(definition.kind, settings.data, {
    clock: Date.now,
    notice: (event, fields) => void notices.push({ event, fields }),
  });
  return { provider, logged: () => JSON.stringify(notices) };
}

/** Time limits of SMTP for a provider that is to be impatient: short, but long enough for a busy machine. */
export const IMPATIENT_MS = 700;
export const impatientTimeouts = {
  tlsMs: IMPATIENT_MS,
  greetingMs: IMPATIENT_MS,
  commandMs: IMPATIENT_MS,
  contentMs: IMPATIENT_MS,
  contentReplyMs: IMPATIENT_MS,
};
