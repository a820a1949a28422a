import { Redis } from "ioredis";

import { parseServerInfo } from "./server-info.ts";
import type { ServerInfo } from "./server-info.ts";

/** Asks a server of this machine once who it is; null where none answers. It may still be loading its data. */
export async function probeServer(url: string, timeoutMs = 1_000): Promise<ServerInfo | null> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    retryStrategy: () => null,
    enableReadyCheck: false,
    disableClientInfo: true,
  });
  // Without a listener ioredis writes the error to the console; it also comes by the rejected promise.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return parseServerInfo(await client.info());
  } catch {
    return null;
  } finally {
    client.disconnect();
  }
}
