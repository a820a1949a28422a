import type { ProviderDefinition } from "../core/index.ts";
import { coreSettings, providerSettings, webhookSettings } from "./catalogue.ts";
import type { Setting } from "./catalogue.ts";
import { formatDuration } from "./duration.ts";
import { CORE_SECRETS } from "./schema.ts";

const INTRODUCTION = `# Settings

Generated from the schemas by \`npm run generate\`; how files and variables work together is in [configuration.md](configuration.md).

A setting whose name ends in \`Ms\` is a time: milliseconds, or a number and \`ms\`, \`s\`, \`m\`, \`h\` or \`d\` such as \`30s\`.
Each setting has a variable: \`MAILOVER_\` and its path in capitals, as \`MAILOVER_BREAKER_OPEN_MS\` for \`breaker.openMs\` and
\`MAILOVER_PROVIDERS_SENDGRID_API_KEY\` for \`apiKey\` of the provider named \`sendgrid\`. What a provider's settings mean in full is
in the README of its kind, \`providers/<kind>/README.md\`.
🔒 marks a secret: it is hidden wherever settings are shown and belongs into a variable, or a file named by that variable with \`_FILE\`.
`;

/** docs/configuration-settings.md: every setting with its default, what it may be and what it means. */
export function renderSettings(definitions: readonly ProviderDefinition[]): string {
  const core = coreSettings();
  const groups = [...new Set(core.map(({ path }) => path[0] ?? ""))];
  const sections = groups.map((group) =>
    section(
      `\`${group}\``,
      core.filter(({ path }) => path[0] === group),
      CORE_SECRETS,
    ),
  );
  const webhooks = section("`webhooks.<name>`", webhookSettings(), ["secret"]);
  const providers = definitions.map((definition) =>
    section(`\`providers.<name>\` of kind \`${definition.kind}\``, providerSettings(definition), definition.secrets),
  );
  return [INTRODUCTION, ...sections, webhooks, ...providers].join("\n");
}

function section(title: string, settings: readonly Setting[], secrets: readonly string[]): string {
  const rows = settings.map((setting) => {
    const name = setting.path.join(".");
    const shown = `\`${name}\`${secrets.includes(name) ? " 🔒" : ""}`;
    return [shown, defaultText(setting), rangeText(setting), setting.description];
  });
  const columns = ["setting", "default", "may be", "meaning"];
  // A kind whose schema describes nothing says what its settings mean in its own README.
  const width = settings.some(({ description }) => description !== "") ? 4 : 3;
  const lines = [columns, columns.map(() => "---"), ...rows].map((cells) => {
    const shown = cells.slice(0, width).map((cell) => cell.replaceAll("|", "\\|"));
    return `| ${shown.join(" | ")} |`;
  });
  return [`## ${title}`, "", ...lines, ""].join("\n");
}

function defaultText(setting: Setting): string {
  if (setting.required) return "required";
  return setting.default === undefined ? "" : `\`${valueText(setting, setting.default)}\``;
}

function valueText(setting: Setting, value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((entry) => valueText(setting, entry)).join(", ")}]`;
  if (typeof value === "number" && setting.path.at(-1)?.endsWith("Ms")) return formatDuration(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

function rangeText(setting: Setting): string {
  if (setting.choices.length > 0 && setting.types.length === 1)
    return setting.choices.map((word) => `\`${word}\``).join(", ");
  const [least, most] = [setting.minimum, setting.maximum].map((bound) =>
    bound === null ? null : valueText(setting, bound),
  );
  if (least !== null && most !== null) return `${least} to ${most}`;
  if (least !== null) return `${least} or more`;
  if (most !== null) return `up to ${most}`;
  return setting.types.map((type) => TYPE_WORDS[type]).join(", or ");
}

const TYPE_WORDS = {
  string: "text",
  number: "number",
  integer: "number",
  boolean: "true or false",
  array: "list",
  object: "group",
  null: "null",
} as const;
