import { describe, expect, test } from "vitest";
import { classify } from "../../../../src/core/index.ts";
import type { Outcome } from "../../../../src/core/index.ts";
import type { RelayOptions } from "../../../../src/lab/index.ts";
import { xoauth2Response } from "../../../../providers/smtp/credentials.ts";
import type { Credentials } from "../../../../providers/smtp/credentials.ts";
import type { SmtpTransport } from "../../../../providers/smtp/transport.ts";
import { connectionsOf, setUp } from "./servers.ts";
import { message, watching } from "./support.ts";

const transmission = { message: message(), recipients: ["ann@example.test"] };

function send(transport: SmtpTransport, options = watching()): Promise<Outcome> {
  return transport.send(transmission, options);
}

function password(mechanism: "PLAIN" | "LOGIN" | "CRAM-MD5" | null, secret = "pässword"): Credentials {
  return { kind: "password", user: "app", password: secret, mechanism };
}

const bearer: Credentials = { kind: "xoauth2", user: "app@contoso.test", accessToken: "token-of-today" };
const users = { app: "pässword" };
const tokens = { "app@contoso.test": "token-of-today" };

describe("signing in", () => {
  const ways: readonly [how: string, relay: RelayOptions, credentials: Credentials, line: string][] = [
    ["by PLAIN", { users }, password("PLAIN"), "AUTH PLAIN ***"],
    ["by LOGIN", { users }, password("LOGIN"), "AUTH LOGIN"],
    ["by CRAM-MD5", { users }, password("CRAM-MD5"), "AUTH CRAM-MD5"],
    ["by what is offered first", { users }, password(null), "AUTH PLAIN ***"],
    ["by the only one offered", { users, mechanisms: ["CRAM-MD5"] }, password(null), "AUTH CRAM-MD5"],
    [
      "by a password where tokens are taken too",
      { users, tokens, mechanisms: ["XOAUTH2", "LOGIN"] },
      password(null),
      "AUTH LOGIN",
    ],
    ["by XOAUTH2", { tokens }, bearer, "AUTH XOAUTH2 ***"],
    ["by XOAUTH2 where LOGIN is offered too", { users, tokens }, bearer, "AUTH XOAUTH2 ***"],
  ];
  test.each(ways)("%s", async (_how, relayOptions, credentials, line) => {
    const { relay, transport } = await setUp(relayOptions, { credentials: async () => credentials });
    const watch = watching();
    expect((await send(transport, watch)).kind).toBe("relayed");
    expect(relay.accepted[0]!.user).toBe(credentials.user);
    expect(relay.transcript.find(({ text }) => text.startsWith("AUTH"))!.text).toBe(line);
    expect(watch.stages).toContain("auth");
  });

  test("happens once for each connection", async () => {
    const { relay, transport } = await setUp({ users }, { credentials: async () => password(null) });
    await send(transport);
    await send(transport);
    expect(relay.transcript.filter(({ text }) => text.startsWith("AUTH"))).toHaveLength(1);
  });
});

describe("refused credentials", () => {
  const ways: readonly [how: string, relay: RelayOptions, credentials: Credentials][] = [
    ["by PLAIN", { users }, password("PLAIN", "wrong")],
    ["by LOGIN", { users }, password("LOGIN", "wrong")],
    ["by CRAM-MD5", { users }, password("CRAM-MD5", "wrong")],
    ["by XOAUTH2", { tokens }, { ...bearer, accessToken: "token-of-yesterday" }],
    ["by XOAUTH2 with a reason first", { tokens, xoauth2Challenge: true }, { ...bearer, accessToken: "old" }],
  ];
  test.each(ways)("%s are an auth failure with the server's last word", async (_how, relayOptions, credentials) => {
    const { relay, transport } = await setUp(relayOptions, { credentials: async () => credentials });
    expect(await send(transport)).toMatchObject({
      kind: "rejected",
      failure: { cause: "auth", stage: "auth", status: "5.7.8", reason: "535 5.7.8 Error: authentication failed" },
    });
    await connectionsOf(relay, 0);
  });

  test("a mechanism, or AUTH at all, that is not offered", async () => {
    const one = await setUp({ users, mechanisms: ["LOGIN"] }, { credentials: async () => password("PLAIN") });
    expect(await send(one.transport)).toMatchObject({
      kind: "rejected",
      failure: { cause: "auth", stage: "auth", reason: expect.stringMatching(/^504 5\.5\.4/) },
    });
    const none = await setUp({}, { credentials: async () => password(null) });
    expect(await send(none.transport)).toMatchObject({
      kind: "rejected",
      failure: { cause: "auth", stage: "auth", reason: "the server offers no AUTH" },
    });
  });

  test("a server that cannot check them now is no auth failure", async () => {
    const { relay, transport } = await setUp({ users }, { credentials: async () => password(null) });
    await relay.setFault({ kind: "reply", at: "auth", text: "454 4.7.0 Temporary authentication failure" });
    expect(await send(transport)).toMatchObject({ kind: "deferred", failure: { cause: "busy", stage: "auth" } });
  });
});

describe("secrets stay out of the reason, whatever the server echoes", () => {
  const echoes: readonly [form: string, credentials: Credentials, secret: string][] = [
    ["a token", bearer, "token-of-today"],
    ["the XOAUTH2 response", bearer, xoauth2Response("app@contoso.test", "token-of-today")],
    ["a password", password("PLAIN"), "pässword"],
    ["a password in base64", password("LOGIN"), Buffer.from("pässword").toString("base64")],
    ["the PLAIN response", password("PLAIN"), Buffer.from("\0app\0pässword").toString("base64")],
  ];
  test.each(echoes)("%s", async (_form, credentials, secret) => {
    const { relay, transport } = await setUp({ users, tokens }, { credentials: async () => credentials });
    await relay.setFault({ kind: "reply", at: "auth", text: `501 5.5.2 Cannot decode ${secret} at all` });
    expect(await send(transport)).toMatchObject({
      failure: { stage: "auth", reason: "501 5.5.2 Cannot decode *** at all" },
    });
  });
});

describe("fresh credentials", () => {
  test("are tried once, within the attempt, where they can be had", async () => {
    let token = "token-of-yesterday";
    const { relay, transport } = await setUp(
      { tokens },
      {
        credentials: async () => ({ ...bearer, accessToken: token }),
        onAuthRejected: async ({ replyCode, stage }) => {
          expect([replyCode, stage]).toEqual([535, "auth"]);
          token = "token-of-today";
          return true;
        },
      },
    );
    const watch = watching();
    expect((await send(transport, watch)).kind).toBe("relayed");
    expect(relay.connectionCount).toBe(2);
    expect(watch.stages.filter((stage) => stage === "auth")).toHaveLength(2);
  });

  test.each([
    ["are not tried where there are none", false, 1],
    ["are not tried twice", true, 2],
  ])("%s", async (_rule, fresh, connectionCount) => {
    const { relay, transport } = await setUp(
      { tokens },
      { credentials: async () => ({ ...bearer, accessToken: "old" }), onAuthRejected: async () => fresh },
    );
    expect(await send(transport)).toMatchObject({ kind: "rejected", failure: { cause: "auth" } });
    expect(relay.connectionCount).toBe(connectionCount);
  });

  test("are not asked for where the connection was lost", async () => {
    let askedCount = 0;
    const { relay, transport } = await setUp(
      { tokens },
      {
        credentials: async () => bearer,
        onAuthRejected: async () => {
          askedCount += 1;
          return true;
        },
      },
    );
    await relay.setFault({ kind: "drop", at: "auth" });
    expect(await send(transport)).toMatchObject({ kind: "deferred", failure: { cause: "outage", stage: "auth" } });
    expect(askedCount).toBe(0);
  });
});

describe("the source of credentials", () => {
  test("reports its stage, and its failure is the attempt's, without a connection", async () => {
    const failure = classify([], { stage: "token", text: "AADSTS7000222" });
    const { relay, transport } = await setUp(
      { tokens },
      {
        credentials: async ({ onStage }) => {
          onStage("token");
          return { kind: "none", failure };
        },
      },
    );
    const watch = watching();
    expect(await send(transport, watch)).toEqual({ kind: "deferred", failure, refused: [] });
    expect(watch.stages).toEqual(["token"]);
    expect(relay.connectionCount).toBe(0);
  });

  test("does not hold up an attempt that is stopped", async () => {
    const { transport } = await setUp(
      { tokens },
      {
        credentials: ({ onStage }) => {
          onStage("token");
          return new Promise(() => {});
        },
      },
    );
    expect(await send(transport, watching("token"))).toMatchObject({ kind: "deferred", failure: { stage: "token" } });
  });
});
