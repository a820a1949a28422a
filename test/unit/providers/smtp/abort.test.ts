import { describe, expect, test } from "vitest";
import type { Stage } from "../../../../src/core/index.ts";
import { createAuthority } from "../../../../src/lab/certificate.ts";
import type { SmtpFault } from "../../../../src/lab/index.ts";
import { connectionsOf, setUp } from "./servers.ts";
import { largeMime, message, watching } from "./support.ts";

const authority = await createAuthority();

/** Where the attempt is stopped, and what keeps the server from going on. */
const stops: readonly [stage: Stage, fault: SmtpFault][] = [
  ["greeting", { kind: "silence", at: "greeting" }],
  ["ehlo", { kind: "silence", at: "ehlo" }],
  ["starttls", { kind: "silence", at: "tls" }],
  ["auth", { kind: "silence", at: "auth" }],
  ["mail", { kind: "silence", at: "mail" }],
  ["rcpt", { kind: "silence", at: "rcpt" }],
  ["data", { kind: "silence", at: "data" }],
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
  test.each(stops)("%s ends at once, with the connection", async (stage, fault) => {
    const { relay, transport } = await setUp(relayOptions, transportOptions);
    await relay.setFault(fault);
    const watch = watching(stage);
    const outcome = await transport.send({ message: message(), recipients: ["ann@example.test"] }, watch);
    expect(outcome).toMatchObject({
      kind: "deferred",
      failure: {
        cause: "outage",
        rule: "attempt-abandoned",
        stage,
        reason: `the attempt was stopped in stage ${stage}`,
      },
    });
    expect(watch.stages.at(-1)).toBe(stage);
    await connectionsOf(relay, 0);
    await relay.setFault(null);
    const next = await transport.send({ message: message(), recipients: ["ann@example.test"] }, watching());
    expect(next.kind).toBe("relayed");
  });

  test("content is not uncertain, since the final dot was not written", async () => {
    const { relay, transport } = await setUp(relayOptions, transportOptions);
    await relay.setFault({ kind: "silence", at: "content" });
    const transmission = { message: message(largeMime(24_000_000)), recipients: ["ann@example.test"] };
    expect(await transport.send(transmission, watching("content"))).toMatchObject({
      kind: "deferred",
      failure: { cause: "outage", stage: "content" },
    });
  });

  test("reply is uncertain", async () => {
    const { relay, transport } = await setUp(relayOptions, transportOptions);
    await relay.setFault({ kind: "silence", at: "dot", accepted: true });
    const transmission = { message: message(), recipients: ["ann@example.test"] };
    expect(await transport.send(transmission, watching("reply"))).toMatchObject({
      kind: "uncertain",
      failure: { cause: "uncertain", stage: "reply" },
    });
    await connectionsOf(relay, 0);
  });

  test.each(["dns", "connect"] as const)("%s is deferred, and leaves no connection", async (stage) => {
    const { relay, transport } = await setUp();
    const transmission = { message: message(), recipients: ["ann@example.test"] };
    expect(await transport.send(transmission, watching(stage))).toMatchObject({
      kind: "deferred",
      failure: { rule: "attempt-abandoned" },
    });
    await connectionsOf(relay, 0);
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
