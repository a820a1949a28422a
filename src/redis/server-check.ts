import type { RedisClient } from "./connection.ts";
import { describeError } from "./describe-error.ts";
import { parseServerInfo } from "./server-info.ts";
import type { ServerInfo } from "./server-info.ts";

/** Whether mail can be trusted to a server. Sentences are for the operator and say what to type. */
export type ServerCheck =
  | { readonly ok: true; readonly server: string; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly server: string; readonly problem: string };

/** Redis before this lacks commands that BullMQ 6 asks for. */
const MINIMUM_VERSION = [6, 2] as const;

const uncheckedSentence =
  "whether Redis keeps mail safe could not be checked; see that it runs with maxmemory-policy noeviction and appendonly yes";

/** Asks the server by `INFO`, which managed services allow where `CONFIG` is forbidden. Waits for a connection. */
export async function checkServer(client: RedisClient): Promise<ServerCheck> {
  try {
    return judgeServer(parseServerInfo(await client.info()), client.isCluster);
  } catch (error) {
    // An ACL may forbid INFO; a connection that fails shows at the next command, too.
    return { ok: true, server: "Redis", warnings: [`${uncheckedSentence} (INFO: ${describeError(error)})`] };
  }
}

/** The judgement alone, without I/O. `asCluster`: whether we speak to it as to a cluster. */
export function judgeServer(info: ServerInfo, asCluster: boolean): ServerCheck {
  const server = serverName(info);
  const problem = problemOf(info, server);
  if (problem !== null) return { ok: false, server, problem };
  const warnings = [evictionWarning(info), persistenceWarning(info), clusterWarning(info, asCluster)];
  return { ok: true, server, warnings: warnings.filter((warning) => warning !== null) };
}

function serverName(info: ServerInfo): string {
  const valkey = info.get("valkey_version");
  return valkey === undefined ? `Redis ${info.get("redis_version") ?? "(unknown version)"}` : `Valkey ${valkey}`;
}

function problemOf(info: ServerInfo, server: string): string | null {
  // Valkey, and others that are compatible, say which Redis they are like in redis_version.
  const version = info.get("redis_version")?.split(".").map(Number);
  if (version !== undefined && isBelow(version, MINIMUM_VERSION)) {
    return `${server} is too old: Mailover needs Redis ${MINIMUM_VERSION.join(".")} or later, or Valkey`;
  }
  if (info.get("role") === "slave") {
    const master = `${info.get("master_host") ?? "unknown"}:${info.get("master_port") ?? "unknown"}`;
    return `${server} is a read-only replica of ${master}: set redis.url to the master, or use redis.sentinels`;
  }
  return null;
}

function isBelow(version: readonly number[], minimum: readonly number[]): boolean {
  for (const [index, least] of minimum.entries()) {
    const part = version[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}

function evictionWarning(info: ServerInfo): string | null {
  const policy = info.get("maxmemory_policy");
  if (policy === "noeviction") return null;
  if (policy === undefined) {
    return "whether Redis may evict mail could not be checked; see that its maxmemory-policy is noeviction";
  }
  return `Redis may evict mail when its memory is full (maxmemory-policy ${policy}): redis-cli CONFIG SET maxmemory-policy noeviction, and in redis.conf or your provider's settings`;
}

function persistenceWarning(info: ServerInfo): string | null {
  const enabled = info.get("aof_enabled");
  if (enabled === "1") return null;
  if (enabled === undefined) {
    return "whether Redis keeps mail over a restart could not be checked; see that appendonly is yes";
  }
  return "a restart of Redis loses the mail accepted since its last snapshot, if it makes any: redis-cli CONFIG SET appendonly yes, and in redis.conf or your provider's settings";
}

function clusterWarning(info: ServerInfo, asCluster: boolean): string | null {
  if (asCluster || info.get("cluster_enabled") !== "1") return null;
  return "Redis runs as a cluster: set redis.cluster.nodes, and a queue prefix with a hash tag such as {bull}";
}
