import { Redis } from "ioredis";
import type { RedisClient } from "./connection.ts";

const gathering = new WeakSet<Redis["stream"]>();

/**
 * To be called before a command: all that this turn of the event loop sends on the connection goes out in one write to
 * its socket. Each command stays one of its own, with its own answer and its own retry; so it does not matter if the
 * connection breaks meanwhile. On a Cluster, whose connections are many, nothing is gathered.
 */
export function gatherWrites(client: RedisClient): void {
  if (!(client instanceof Redis)) return;
  const { stream } = client;
  // Not there until the first connection.
  if (stream === undefined || gathering.has(stream)) return;
  gathering.add(stream);
  stream.cork();
  setImmediate(() => {
    gathering.delete(stream);
    stream.uncork();
  });
}
