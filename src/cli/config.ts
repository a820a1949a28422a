import { printConfig } from "../config/index.ts";
import { loadOrExit } from "./settings.ts";

/** `mailover config`: what is in force, and where from. A bad one ends with code 78 before anything is printed. */
export async function config(options: { readonly check?: true; readonly json?: true }): Promise<void> {
  const { config, sources, isSecret } = loadOrExit();
  if (options.check) return;
  process.stdout.write(`${printConfig(config, sources, { format: options.json ? "json" : "text", isSecret })}\n`);
}
