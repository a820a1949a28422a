import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { StoreKind } from "./embedded-command.ts";

/** What `store.json` in a data folder says of the store that runs there, or ran there once. */
export type StoreRecord = {
  readonly url: string;
  readonly kind: StoreKind;
  readonly persistent: boolean;
  /** Process id of the store. */
  readonly pid: number;
  /** Process id of the process that started it, with which it ends. */
  readonly ownerPid: number;
  /** `run_id` of INFO: tells this run from another server that has the same port later. */
  readonly runId: string;
};

/** Null where there is none, or none that can be read. */
export function readStoreRecord(dataDir: string): StoreRecord | null {
  try {
    const record: unknown = JSON.parse(readFileSync(recordPath(dataDir), "utf8"));
    return isStoreRecord(record) ? record : null;
  } catch {
    return null;
  }
}

/** Looks at what would do harm if it were missing. The file is written whole, so the rest is there with it. */
function isStoreRecord(value: unknown): value is StoreRecord {
  const { url, runId, pid, ownerPid } = Object(value) as Record<string, unknown>;
  return typeof url === "string" && typeof runId === "string" && Number(pid) > 0 && Number(ownerPid) > 0;
}

export function writeStoreRecord(dataDir: string, record: StoreRecord): void {
  const temporary = `${recordPath(dataDir)}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, recordPath(dataDir));
}

export function removeStoreRecord(dataDir: string, runId: string): void {
  if (readStoreRecord(dataDir)?.runId === runId) rmSync(recordPath(dataDir), { force: true });
}

/**
 * Takes the right to start a store in this folder; null while another living process has it. What it returns gives the
 * right back. The folder is made where it is missing, for this user alone: it will hold mail.
 */
export function lockStart(dataDir: string): (() => void) | null {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, "store.lock");
  try {
    writeFileSync(path, String(process.pid), { flag: "wx", mode: 0o600 });
    return () => rmSync(path, { force: true });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  if (!isAlive(lockHolder(path))) rmSync(path, { force: true });
  return null;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is another user's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function lockHolder(path: string): number {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    // Not yet written, or not a process: its maker is between two steps.
    return pid > 0 ? pid : process.pid;
  } catch {
    return process.pid;
  }
}

function recordPath(dataDir: string): string {
  return join(dataDir, "store.json");
}
