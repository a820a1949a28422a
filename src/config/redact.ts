import { CORE_SECRETS } from "./schema.ts";
import type { ProviderDefinition } from "../core/index.ts";
import { isTree } from "./tree.ts";
import type { Path } from "./tree.ts";

/** Stands for a secret wherever settings are shown. */
export const HIDDEN = "‹hidden›";

/** Keys that hold secrets whoever wrote the schema; a second net under the lists of secrets. */
const SECRET_KEY = /(?:password|passphrase|secret|api_?key|private_?key|access_?token|credentials)$/i;

/** Tells the secrets among the settings of this configuration. */
export type IsSecret = (path: Path) => boolean;

/** Secrets by the core's list, by each provider's own, and by the name of the key. `tree` says which kind each provider is. */
export function secretsOf(tree: unknown, definitions: readonly ProviderDefinition[]): IsSecret {
  const paths = new Set(CORE_SECRETS);
  const providers = isTree(tree) && isTree(tree["providers"]) ? tree["providers"] : {};
  for (const [name, provider] of Object.entries(providers)) {
    const kind = isTree(provider) ? provider["kind"] : undefined;
    const definition = definitions.find((candidate) => candidate.kind === kind);
    for (const secret of definition?.secrets ?? []) {
      paths.add(`providers.${name}.${secret}`);
      if (secret === definition?.pool?.each) paths.add(`providers.${name}.${definition.pool.list}`);
    }
  }
  return (path) =>
    path.some((_, index) => paths.has(path.slice(0, index + 1).join("."))) || SECRET_KEY.test(path.at(-1) ?? "");
}

/** A text without what may be secret in it: the password in a URL, a key in PEM. */
export function redactText(text: string): string {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return HIDDEN;
  return text
    .replace(/^([a-z][\w+.-]*:\/\/).*@/i, `$1${HIDDEN}@`)
    .replaceAll(/([?&](?:password|pass|token|secret|key)=)[^&]*/gi, `$1${HIDDEN}`);
}

/** A copy of a value fit to be shown. `path` is where it stands. */
export function redact(value: unknown, path: Path, isSecret: IsSecret): unknown {
  if (value === null || value === undefined) return value;
  if (isSecret(path)) return HIDDEN;
  if (typeof value === "string") return redactText(value);
  if (Array.isArray(value)) return value.map((entry, index) => redact(entry, [...path, String(index)], isSecret));
  if (!isTree(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, redact(child, [...path, key], isSecret)]),
  );
}
