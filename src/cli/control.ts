import { closest } from "../config/closest.ts";
import { parseDuration } from "../config/index.ts";
import type { Change } from "../control/change.ts";
import { Control } from "../control/control.ts";
import type { ControlAnswer } from "../control/control.ts";
import { describeChange, describeHeld } from "../control/describe.ts";
import type { Authorship } from "../control/overlay.ts";
import { closeRedis } from "../redis/connection.ts";
import { operator } from "./messages.ts";
import { loadOrExit } from "./settings.ts";
import { connectStore } from "./store.ts";

type Reason = { readonly reason?: string };
type Lasting = { readonly for?: string };
type Draining = { readonly allMailWaits?: true };

/** Changes shown where no number is given. */
const SHOWN = 20;

/** `mailover drain`: no mail goes to a provider any more. */
export async function drain(provider: string, options: Reason & Lasting & Draining): Promise<void> {
  const holding = { forMs: durationOf("--for", options.for), allMailWaits: options.allMailWaits === true };
  await change(options, (control, author) => control.drain(provider, author, holding));
}

/** `mailover resume` */
export async function resume(provider: string, options: Reason): Promise<void> {
  await change(options, (control, author) => control.resume(provider, author));
}

/** `mailover prefer`: a provider goes before all others; with `--none`, none does. */
export async function prefer(
  provider: string | undefined,
  options: Reason & Lasting & { readonly none?: true },
): Promise<void> {
  if ((provider === undefined) !== (options.none === true)) {
    throw new Error("name the provider that goes before all others, or write --none");
  }
  const forMs = durationOf("--for", options.for);
  await change(options, (control, author) =>
    provider === undefined ? control.unprefer(author) : control.prefer(provider, author, { forMs }),
  );
}

/** `mailover weight`: a provider's share among those of its priority. */
export async function weight(provider: string, value: string, options: Reason & Lasting): Promise<void> {
  if (value !== "configured" && !/^\d+$/.test(value)) {
    throw new Error(`"${value}" is no weight: write a whole number from 1, or configured`);
  }
  const wanted = value === "configured" ? null : Number(value);
  const forMs = durationOf("--for", options.for);
  await change(options, (control, author) => control.weight(provider, wanted, author, { forMs }));
}

/** `mailover rollback` */
export async function rollback(version: string, options: Reason & Draining): Promise<void> {
  if (!/^\d+$/.test(version)) throw new Error(`"${version}" is no version of a change: see mailover changes`);
  const allMailWaits = options.allMailWaits === true;
  await change(options, (control, author) => control.rollback(Number(version), author, { allMailWaits }));
}

/** `mailover changes`: the latest first, each with its version, when, by whom and why. */
export async function changes({ limit = String(SHOWN) }: { readonly limit?: string }): Promise<void> {
  if (!/^[1-9]\d*$/.test(limit)) throw new Error(`--limit: "${limit}" is no whole number from 1`);
  await withControl(async (control) => {
    const { now, changes } = await control.changes(Number(limit));
    for (const made of changes) process.stdout.write(`${lineOf(made, now)}\n`);
    if (changes.length === 0) process.stdout.write("nothing was changed at run time\n");
  });
}

/** Opens what these commands work with, and closes it behind them. */
export async function withControl(act: (control: Control) => Promise<void>): Promise<void> {
  const { config } = loadOrExit();
  const redis = await connectStore(config, "mailover-control", "commands");
  try {
    const { providers, pools } = config;
    await act(new Control({ redis, providers: Object.keys(providers), pools, suggest: closest }));
  } finally {
    await closeRedis(redis);
  }
}

/** Has one thing changed by whoever types, and says what came of it. Exit code 1 where it was refused. */
export async function change(
  { reason = "" }: Reason,
  act: (control: Control, author: Authorship) => Promise<ControlAnswer>,
): Promise<void> {
  await withControl(async (control) => {
    const answer = await act(control, { by: operator(), reason });
    const isRefused = answer.kind === "refused";
    (isRefused ? process.stderr : process.stdout).write(`${sentenceOf(answer)}\n`);
    if (isRefused) process.exitCode = 1;
  });
}

/** What holds now, until when, and what to type to undo it; or why it was not done. */
export function sentenceOf(answer: ControlAnswer): string {
  if (answer.kind === "unchanged") return `${answer.sentence}: nothing was changed`;
  if (answer.kind === "refused") {
    return answer.code === "all-mail-waits" ? `${answer.sentence}; if it is to: --all-mail-waits` : answer.sentence;
  }
  const what = answer.holds === null ? describeChange(answer.change) : describeHeld(answer.holds);
  return `${what} (change ${answer.change.version}); to undo it: ${undoOf(answer.change)}`;
}

function undoOf(made: Change): string {
  switch (made.action) {
    case "drain":
      return `mailover resume ${made.provider}`;
    case "prefer":
      return "mailover prefer --none";
    case "cutover.started":
      return `mailover cutover --stop --to ${made.plan.to}`;
    default:
      return `mailover rollback ${made.version} --reason "..."`;
  }
}

/** `17  2026-11-24T12:00:00.000Z  ann@desk  sendgrid is drained until … (invoices are late)` */
function lineOf(made: Change, now: number): string {
  const untilAt = "untilAt" in made ? made.untilAt : null;
  const over = untilAt !== null && untilAt <= now ? ", which is over" : "";
  return `${made.version}  ${new Date(made.at).toISOString()}  ${made.by}  ${describeChange(made)}${over}`;
}

/** Milliseconds, or null where none is given. Throws where it is no time. */
export function durationOf(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const durationMs = parseDuration(text);
  if (durationMs === null) {
    throw new Error(`${option}: "${text}" is no time; write a number and s, m, h or d, such as 2h`);
  }
  return durationMs;
}
