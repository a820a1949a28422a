import { describe, expect, test } from "vitest";
import { createAuthority } from "../../../../src/lab/certificate.ts";
import type { RelayOptions } from "../../../../src/lab/index.ts";
import type { SmtpTransport, SmtpTransportOptions } from "../../../../providers/smtp/transport.ts";
import { setUp } from "./servers.ts";
import { largeMime, message, watching } from "./support.ts";

const [authority, stranger] = await Promise.all([createAuthority(), createAuthority()]);

const transmission = { message: message(), recipients: ["ann@example.test"] };

async function send(transport: SmtpTransport, options = watching()): Promise<unknown> {
  return transport.send(transmission, options);
}

describe.each([
  ["implicit", "implicit", "tls"],
  ["required", "starttls", "starttls"],
  ["optional", "starttls", "starttls"],
] as const)("tls: %s", (mode, server, stage) => {
  const relayOptions: RelayOptions = { tls: server, authority, maxMessageBytes: 20_000_000 };

  test("encrypts, with a certificate authority of one's own", async () => {
    const { relay, transport } = await setUp({ ...relayOptions, tlsRequired: true }, { tls: mode, ca: authority.ca });
    const watch = watching();
    expect(await send(transport, watch)).toMatchObject({ kind: "relayed" });
    expect(watch.stages).toContain(stage);
    expect(relay.accepted).toHaveLength(1);
  });

  test("carries 10 MB as it is", async () => {
    const { relay, transport } = await setUp(relayOptions, { tls: mode, ca: authority.ca });
    const mime = largeMime(10_000_000);
    await transport.send({ message: message(mime), recipients: ["ann@example.test"] }, watching());
    expect(relay.accepted[0]!.content.equals(mime)).toBe(true);
  });

  const refused: readonly [why: string, options: Partial<SmtpTransportOptions>, rule: string][] = [
    ["of an authority unknown to it", { ca: null }, "tls-certificate-untrusted"],
    ["of another authority", { ca: stranger.ca }, "tls-certificate-untrusted"],
    ["for another name", { ca: authority.ca, servername: "smtp.example.test" }, "tls-certificate-other-name"],
  ];
  test.each(refused)("refuses a certificate %s", async (_why, options, rule) => {
    const { relay, transport } = await setUp(relayOptions, { tls: mode, ...options });
    expect(await send(transport)).toMatchObject({ kind: "deferred", failure: { cause: "outage", stage, rule } });
    expect(relay.transcript.some(({ text }) => text.startsWith("MAIL"))).toBe(false);
  });
});

test("tls: required does without nothing", async () => {
  const { transport } = await setUp({}, { tls: "required" });
  expect(await send(transport)).toMatchObject({ kind: "deferred", failure: { stage: "starttls", cause: "outage" } });
});

test("tls: none stays in the clear", async () => {
  const { relay, transport } = await setUp({ tls: "starttls", authority }, { tls: "none" });
  expect(await send(transport)).toMatchObject({ kind: "relayed" });
  expect(relay.transcript.some(({ text }) => text === "STARTTLS")).toBe(false);
});

describe("tls: optional", () => {
  test("goes on in the clear where STARTTLS is not offered, or refused", async () => {
    const without = await setUp({}, { tls: "optional" });
    expect(await send(without.transport)).toMatchObject({ kind: "relayed" });
    const { relay, transport } = await setUp({ tls: "starttls", authority }, { tls: "optional", ca: authority.ca });
    await relay.setFault({ kind: "reply", at: "starttls", text: "454 4.7.0 TLS not available" });
    expect(await send(transport)).toMatchObject({ kind: "relayed" });
  });

  test("but not with credentials", async () => {
    const users = { app: "secret" };
    const { relay, transport } = await setUp(
      { users },
      {
        tls: "optional",
        credentials: async () => ({ kind: "password", user: "app", password: "secret", mechanism: null }),
      },
    );
    expect(await send(transport)).toMatchObject({ kind: "rejected", failure: { cause: "auth", stage: "auth" } });
    expect(relay.transcript.some(({ text }) => text.startsWith("AUTH"))).toBe(false);
  });
});

test("TLS of an implicit port is told from a server that does not speak it", async () => {
  const { transport } = await setUp({}, { tls: "implicit" });
  expect(await send(transport)).toMatchObject({ kind: "deferred", failure: { stage: "tls", rule: "tls-not-spoken" } });
});
