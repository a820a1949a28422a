import { readFile, writeFile } from "node:fs/promises";
import { providerDefinitions } from "../../providers/index.ts";
import { renderSettings } from "../config/index.ts";
import { renderHeaderPolicies, renderMessageFields, renderMessageSchema } from "../message/index.ts";
import { renderCauses, renderReplies } from "../operations/reference.ts";
import { renderMetrics } from "../operations/metrics-reference.ts";
import { renderStates } from "../operations/states-reference.ts";

/** `npm run generate`, in the repository: writes what is made from the code. Tests compare it. */
export async function generate(): Promise<void> {
  await writeFile("schema/message.schema.json", renderMessageSchema());
  await writeFile("docs/configuration-settings.md", renderSettings(providerDefinitions));
  await writeFile("docs/provider-replies.md", renderReplies(providerDefinitions));
  await writeFile("docs/causes.md", renderCauses());
  await fillIn("docs/message.md", "fields", renderMessageFields());
  await fillIn("docs/message.md", "headers", renderHeaderPolicies());
  await fillIn("docs/states.md", "states", renderStates());
  await fillIn("docs/metrics.md", "metrics", await renderMetrics());
}

/** Replaces what stands between `<!-- name… -->` and `<!-- /name -->`. */
async function fillIn(file: string, name: string, text: string): Promise<void> {
  const page = await readFile(file, "utf8");
  const pattern = new RegExp(`(<!-- ${name}[^>]*-->\\n)[\\s\\S]*?(\\n<!-- /${name} -->)`);
  if (!pattern.test(page)) throw new Error(`${file} has no place for ${name}`);
  await writeFile(
    file,
    page.replace(pattern, (_all, begin: string, end: string) => `${begin}${text.trimEnd()}${end}`),
  );
}
