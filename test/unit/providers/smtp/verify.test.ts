import { describe, expect, test } from "vitest";
import type { Stage } from "../../../../src/core/index.ts";
import type { SmtpFault } from "../../../../src/lab/index.ts";
import { smtpTimeouts } from "../../../../providers/settings.ts";
import { connectionsOf, setUp } from "./servers.ts";
import { message, watching } from "./support.ts";

const users = { app: "secret" };
const options = {
  credentials: async () => ({ kind: "password", user: "app", password: "secret", mechanism: null }) as const,
  timeouts: smtpTimeouts.parse({ greetingMs: 150, commandMs: 150 }),
};

describe("verify", () => {
  test("goes as far as NOOP without sending anything, and hangs up", async () => {
    const { relay, transport } = await setUp({ users }, options);
    const watch = watching();
    const stages = ["dns", "connect", "greeting", "ehlo", "auth"];
    expect(await transport.verify(watch)).toEqual({ ok: true, stages });
    expect(watch.stages).toEqual(stages);
    const said = relay.transcript.filter(({ from }) => from === "client").map(({ text }) => text);
    expect(said).toEqual(["EHLO mailover.test", "AUTH PLAIN ***", "NOOP", "QUIT"]);
    await connectionsOf(relay, 0);
  });

  test("does not wait for connections that are in use", async () => {
    const { relay, transport } = await setUp({ users }, { credentials: options.credentials, maxConnections: 1 });
    await relay.setFault({ kind: "silence", at: "dot" });
    const watch = watching();
    const sending = transport.send({ message: message(), recipients: ["ann@example.test"] }, watch);
    await expect.poll(() => watch.stages.at(-1)).toBe("reply");
    expect(await transport.verify(watching())).toMatchObject({ ok: true });
    await transport.close();
    expect((await sending).kind).toBe("uncertain");
  });

  const failures: readonly [what: string, fault: SmtpFault, stage: Stage, cause: string][] = [
    ["a refused connection", { kind: "refuse" }, "connect", "outage"],
    ["no greeting", { kind: "silence", at: "greeting" }, "greeting", "outage"],
    ["a drop at EHLO", { kind: "drop", at: "ehlo" }, "ehlo", "outage"],
    ["refused credentials", { kind: "reply", at: "auth", text: "535 5.7.8 No" }, "auth", "auth"],
    ["no answer to NOOP", { kind: "silence", at: "noop" }, "auth", "outage"],
    [
      "a refused NOOP, which says nothing of credentials",
      { kind: "reply", at: "noop", text: "550 No" },
      "ehlo",
      "outage",
    ],
  ];
  test.each(failures)("tells of %s", async (_what, fault, stage, cause) => {
    const { relay, transport } = await setUp({ users }, options);
    await relay.setFault(fault);
    expect(await transport.verify(watching())).toMatchObject({ ok: false, failure: { stage, cause } });
    await connectionsOf(relay, 0);
  });

  test("can be stopped", async () => {
    const { relay, transport } = await setUp({ users });
    await relay.setFault({ kind: "silence", at: "ehlo" });
    expect(await transport.verify(watching("ehlo"))).toMatchObject({
      ok: false,
      failure: { stage: "ehlo", rule: "attempt-abandoned" },
    });
    await connectionsOf(relay, 0);
  });
});
