import { afterEach, expect } from "vitest";
import { startRelay } from "../../../../src/lab/index.ts";
import type { RelayOptions, RelayServer } from "../../../../src/lab/index.ts";
import type { SmtpTransport, SmtpTransportOptions } from "../../../../providers/smtp/transport.ts";
import { transportTo } from "./support.ts";

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each.close();
});

/** Has this closed at the end of the test, before what was opened earlier. */
export function closing<T extends { close(): Promise<void> }>(each: T): T {
  opened.push(each);
  return each;
}

/** A relay, and a transport to it. Both are closed at the end of the test. */
export async function setUp(
  relayOptions: RelayOptions = {},
  options: Partial<SmtpTransportOptions> = {},
): Promise<{ relay: RelayServer; transport: SmtpTransport }> {
  const relay = closing(await startRelay(relayOptions));
  return { relay, transport: closing(transportTo(relay, options)) };
}

/** Waits until the server has so many connections. */
export async function connectionsOf(relay: RelayServer, count: number): Promise<void> {
  await expect.poll(() => relay.connections, { timeout: 5_000, interval: 5 }).toBe(count);
}
