import { afterEach, describe, expect, test } from "vitest";
import { startRelay } from "../../../../src/lab/index.ts";
import type { RelayOptions, RelayServer } from "../../../../src/lab/index.ts";
import type { SmtpTransport, SmtpTransportOptions } from "../../../../providers/smtp/transport.ts";
import { MIME, message, transportTo, watching } from "./support.ts";

const opened: { close(): Promise<void> }[] = [];

async function setUp(
  relayOptions: RelayOptions = {},
  options: Partial<SmtpTransportOptions> = {},
): Promise<{ relay: RelayServer; transport: SmtpTransport }> {
  const relay = await startRelay(relayOptions);
  const transport = transportTo(relay, options);
  opened.push(relay, transport);
  return { relay, transport };
}

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

describe("a message that is taken", () => {
  test("is relayed with the server's id, its reply and every stage in order", async () => {
    const { relay, transport } = await setUp();
    const options = watching();
    const outcome = await transport.send({ message: message(), recipients: ["ann@example.test"] }, options);
    const accepted = relay.accepted[0]!;
    expect(outcome).toEqual({
      kind: "relayed",
      remoteId: accepted.remoteId,
      reply: `250 2.0.0 Ok: queued as ${accepted.remoteId}`,
      refused: [],
    });
    expect(options.stages).toEqual(["dns", "connect", "greeting", "ehlo", "mail", "rcpt", "data", "content", "reply"]);
    expect(accepted.content.equals(MIME)).toBe(true);
    expect(accepted.mailFrom).toBe("app@contoso.test");
    expect(accepted.rcptTo).toEqual(["ann@example.test"]);
  });
});
