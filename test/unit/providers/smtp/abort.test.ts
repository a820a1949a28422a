import { describe, expect, test } from "vitest";
import type { Stage } from "../../../../src/core/index.ts";
import { createAuthority } from "../../../../src/lab/certificate.ts";
import type { SmtpFault } from "../../../../src/lab/index.ts";
import { connectionsOf, setUp } from "./servers.ts";
import { largeMime, message, watching } from "./support.ts";

const authority = await createAuthority();

/** Where the attempt is stopped, and what keeps the server from going on. */
const stops: readonly [stage: Stage, fault: SmtpFault | null][] = [
  ["dns", null],
  ["connect", null],
  ["greeting", { kind: "silence", at: "greeting" }],
  ["ehlo", { kind: "silence", at: "ehlo" }],
  ["starttls", { kind: "silence", at: "tls" }],
  ["auth", { kind: "silence", at: "auth" }],
  ["mail", { kind: "silence", at: "mail" }],
  ["rcpt", { kind: "silence", at: "rcpt" }],
  ["data", { kind: "silence", at: "data" }],
  ["content", { kind: "silence", at: "content" }],
  ["reply", { kind: "silence", at: "dot", accepted: true }],
];

const relayOptions = {
  tls: "starttls",
  authority,
  users: { app: "secret" },
  maxMessageBytes: 50_000_000,
} as const;

const transportOptions = {
  tls: "required",
  ca: authority.ca,
  credentials: async () => ({ kind: "password", user: "app", password: "secret", mechanism: null }) as const,
} as const;

describe("an attempt that is stopped in stage", () => {
  test.each(stops)("%s ends at once and leaves no connection", async (stage, fault) => {
    const { relay, transport } = await setUp(relayOptions, transportOptions);
    await relay.setFault(fault);
    const watch = watching(stage);
    const mime = stage === "content" ? largeMime(24_000_000) : undefined;
    const outcome = await transport.send({ message: message(mime), recipients: ["ann@example.test"] }, watch);
    expect(outcome).toMatchObject(
      stage === "reply"
        ? { kind: "uncertain", failure: { cause: "uncertain", stage } }
        : { kind: "deferred", failure: { cause: "outage", rule: "attempt-abandoned" } },
    );
    if (fault !== null) expect(watch.stages.at(-1)).toBe(stage);
    // A server that does not read does not see the end either.
    if (stage !== "content") await connectionsOf(relay, 0);
    await relay.setFault(null);
    const next = await transport.send({ message: message(), recipients: ["ann@example.test"] }, watching());
    expect(next.kind).toBe("relayed");
  });

  test("nothing yet does not begin", async () => {
    const { relay, transport } = await setUp();
    const controller = new AbortController();
    controller.abort();
    const outcome = await transport.send(
      { message: message(), recipients: ["ann@example.test"] },
      { signal: controller.signal, onStage: () => {} },
    );
    expect(outcome).toMatchObject({ kind: "deferred", failure: { stage: "queue" } });
    expect(relay.connectionCount).toBe(0);
  });
});
