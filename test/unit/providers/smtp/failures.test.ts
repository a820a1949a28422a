import { describe, expect, test } from "vitest";
import type { Outcome, Stage } from "../../../../src/core/index.ts";
import { startRelay } from "../../../../src/lab/index.ts";
import type { RelayOptions, RelayServer, SmtpFault, SmtpPoint } from "../../../../src/lab/index.ts";
import { smtpTimeouts } from "../../../../providers/settings.ts";
import type { SmtpTransportOptions } from "../../../../providers/smtp/transport.ts";
import { createAuthority } from "../../../../src/lab/certificate.ts";
import { closing, connectionsOf, setUp } from "./servers.ts";
import { MIME, largeMime, message, transportTo, watching } from "./support.ts";

const authority = await createAuthority();

/** Large enough that no socket buffer holds it all, so that the final dot waits for the server. */
const LARGE = largeMime(24_000_000);

const SHORT = smtpTimeouts.parse({
  tlsMs: 150,
  greetingMs: 150,
  commandMs: 150,
  contentMs: 150,
  contentReplyMs: 150,
});

/** Each point where a server can fail, the stage it is in for us, and the server that has such a point. */
const points: readonly [point: SmtpPoint, stage: Stage, mode: "plain" | "starttls" | "implicit"][] = [
  ["connect", "greeting", "plain"],
  ["greeting", "greeting", "plain"],
  ["ehlo", "ehlo", "plain"],
  ["tls", "tls", "implicit"],
  ["starttls", "starttls", "starttls"],
  ["tls", "starttls", "starttls"],
  ["auth", "auth", "starttls"],
  ["mail", "mail", "plain"],
  ["rcpt", "rcpt", "plain"],
  ["data", "data", "plain"],
  ["content", "content", "plain"],
  ["dot", "reply", "plain"],
];

const modes = {
  plain: [{}, {}],
  starttls: [
    { tls: "starttls", authority, users: { app: "secret" } },
    {
      tls: "required",
      ca: authority.ca,
      credentials: async () => ({ kind: "password", user: "app", password: "secret", mechanism: null }),
    },
  ],
  implicit: [
    { tls: "implicit", authority },
    { tls: "implicit", ca: authority.ca },
  ],
} as const satisfies Record<string, readonly [RelayOptions, Partial<SmtpTransportOptions>]>;

async function attempt(
  fault: SmtpFault,
  mode: "plain" | "starttls" | "implicit",
  extensions: readonly string[] | null,
  mime: Buffer = MIME,
): Promise<{ outcome: Outcome; stages: readonly Stage[]; relay: RelayServer }> {
  const [relayOptions, options] = modes[mode];
  const { relay, transport } = await setUp(
    { ...relayOptions, maxMessageBytes: 50_000_000, ...(extensions && { extensions }) },
    { timeouts: SHORT, ...options },
  );
  await relay.setFault(fault);
  const watch = watching();
  const outcome = await transport.send({ message: message(mime), recipients: ["ann@example.test"] }, watch);
  return { outcome, stages: watch.stages, relay };
}

/** The same without PIPELINING, where commands go out one by one. */
const dialects: readonly [name: string, extensions: readonly string[] | null][] = [
  ["pipelined", null],
  ["one by one", ["8BITMIME"]],
];

for (const [dialect, extensions] of dialects) {
  describe(`a server that fails, ${dialect}`, () => {
    for (const [point, stage, mode] of points) {
      const mime = point === "content" ? LARGE : MIME;
      const lost = stage === "reply" ? "uncertain" : "deferred";

      test(`drops at ${point} (${mode}): ${lost} in stage ${stage}`, async () => {
        const { outcome } = await attempt({ kind: "drop", at: point }, mode, extensions, mime);
        expect(outcome).toMatchObject({
          kind: lost,
          failure: { stage, cause: lost === "uncertain" ? lost : "outage" },
        });
      });

      test(`is silent at ${point} (${mode}): ${lost} in stage ${stage}`, async () => {
        const { outcome } = await attempt({ kind: "silence", at: point }, mode, extensions, mime);
        expect(outcome).toMatchObject({
          kind: lost,
          failure: { stage, cause: lost === "uncertain" ? lost : "outage" },
        });
        expect("failure" in outcome && outcome.failure.reason).toMatch(/^no .+ within 150 ms$/);
      });

      if (point === "connect" || point === "tls") continue;
      for (const text of ["451 4.3.0 Come back later", "554 5.3.0 Never"]) {
        test(`answers ${text} at ${point} (${mode}): the reply word for word in stage ${stage}`, async () => {
          const { outcome } = await attempt({ kind: "reply", at: point, text }, mode, extensions);
          const wanted = point === "content" ? "reply" : point === "ehlo" && text.startsWith("5") ? "ehlo" : stage;
          expect(outcome.kind).not.toBe("relayed");
          expect(outcome.kind).not.toBe("uncertain");
          expect(outcome).toMatchObject({ failure: { stage: wanted, reason: text } });
        });
      }
    }

    test.each(["mail", "rcpt", "data", "dot"] as const)("says 421 and closes at %s: not uncertain", async (point) => {
      const text = "421 4.3.2 Service not available";
      const { outcome } = await attempt({ kind: "reply", at: point, text, close: true }, "plain", extensions);
      const stage = point === "dot" ? "reply" : point;
      expect(outcome).toMatchObject({ kind: "deferred", failure: { stage, reason: text, status: "4.3.2" } });
    });
  });
}

test("an outcome's stages end in the one it broke at", async () => {
  const { outcome, stages } = await attempt({ kind: "drop", at: "dot" }, "starttls", null);
  expect(stages).toEqual([
    "dns",
    "connect",
    "greeting",
    "ehlo",
    "starttls",
    "auth",
    "mail",
    "rcpt",
    "data",
    "content",
    "reply",
  ]);
  expect(outcome.kind).toBe("uncertain");
});

test("a refused connection and an unknown host are outages in their stages", async () => {
  const relay = await startRelay();
  await relay.close();
  const transport = closing(transportTo(relay));
  const elsewhere = closing(transportTo({ host: "mailover.invalid", port: 25 }));
  const transmission = { message: message(), recipients: ["ann@example.test"] };
  expect(await transport.send(transmission, watching())).toMatchObject({
    kind: "deferred",
    failure: { stage: "connect", cause: "outage", rule: "connection-refused" },
  });
  expect(await elsewhere.send(transmission, watching())).toMatchObject({
    kind: "deferred",
    failure: { stage: "dns", cause: "outage" },
  });
});

test("an attempt as a whole is limited", async () => {
  const { relay, transport } = await setUp({}, { timeouts: smtpTimeouts.parse({ totalMs: 150 }) });
  await relay.setFault({ kind: "silence", at: "rcpt" });
  const outcome = await transport.send({ message: message(), recipients: ["ann@example.test"] }, watching());
  expect(outcome).toMatchObject({
    kind: "deferred",
    failure: { stage: "rcpt", cause: "outage", reason: "the attempt was not done within 150 ms" },
  });
});

describe("an answer before the content is out", () => {
  test("that refuses is the reply, and the connection is not used again", async () => {
    const text = "552 5.3.4 Too large";
    const { outcome, relay } = await attempt({ kind: "reply", at: "content", text }, "plain", null, LARGE);
    expect(outcome).toMatchObject({ kind: "rejected", failure: { cause: "size", reason: text } });
    await connectionsOf(relay, 0);
  });

  test("that accepts is none: half a message is no message", async () => {
    const fault: SmtpFault = { kind: "reply", at: "content", text: "250 2.0.0 Ok" };
    const { outcome, relay } = await attempt(fault, "plain", null, LARGE);
    expect(outcome).toMatchObject({ kind: "deferred", failure: { cause: "outage", stage: "content" } });
    await connectionsOf(relay, 0);
  });
});

test("bytes that are no reply are an outage, and uncertain where they answer the final dot", async () => {
  const garbage = async (at: SmtpPoint): Promise<Outcome> => {
    const { outcome } = await attempt({ kind: "garbage", at }, "plain", null);
    return outcome;
  };
  expect(await garbage("greeting")).toMatchObject({
    kind: "deferred",
    failure: { cause: "outage", stage: "greeting" },
  });
  expect(await garbage("mail")).toMatchObject({ kind: "deferred", failure: { cause: "outage", stage: "mail" } });
  expect(await garbage("dot")).toMatchObject({ kind: "uncertain", failure: { stage: "reply" } });
});
