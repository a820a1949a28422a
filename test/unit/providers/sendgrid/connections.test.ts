import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { createAuthority } from "../../../../src/lab/certificate.ts";
import { apiThat, providerAt, send } from "./harness.ts";
import { messageWith } from "./messages.ts";
import { accepted } from "./scripted-api.ts";

/** A port that accepts connections and never says a word. */
async function mutePort(): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on("error", () => {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A port on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("connections", () => {
  test("are reused, and a request on a reused one counts as out at once", async () => {
    const api = await apiThat([accepted]);
    const provider = providerAt(api.url);
    const stages = [];
    for (let round = 0; round < 5; round += 1) stages.push((await send(provider, messageWith())).stages);
    expect(api.requests).toHaveLength(5);
    expect(api.connectionCount()).toBe(1);
    expect(stages[0]).toEqual(["queue", "connect", "http"]);
    expect(stages[4]).toEqual(["queue", "http"]);
  });

  test("are no more than the setting says", async () => {
    const api = await apiThat([accepted]);
    const provider = providerAt(api.url, { connections: 2 });
    const sent = await Promise.all(Array.from({ length: 10 }, () => send(provider, messageWith())));
    expect(sent.every(({ outcome }) => outcome.kind === "relayed")).toBe(true);
    expect(api.connectionCount()).toBe(2);
  });

  test("by name begin with dns", async () => {
    const api = await apiThat([accepted]);
    const { stages } = await send(providerAt(`http://localhost:${api.port}`), messageWith());
    expect(stages).toEqual(["queue", "dns", "connect", "http"]);
  });

  test("over TLS trust the authority of the settings, besides the usual ones", async () => {
    const authority = await createAuthority();
    const api = await apiThat([accepted], authority.server);
    const { outcome, stages } = await send(providerAt(api.url, { ca: authority.ca }), messageWith());
    expect(outcome.kind).toBe("relayed");
    expect(stages).toEqual(["queue", "connect", "tls", "http"]);
  });
});

describe("nothing has left", () => {
  test("where nobody listens", async () => {
    const { outcome } = await send(providerAt(`http://127.0.0.1:${await closedPort()}`), messageWith());
    expect(outcome).toMatchObject({
      kind: "deferred",
      failure: { cause: "outage", stage: "connect", rule: "connection-refused" },
    });
  });

  test("where the certificate is not trusted", async () => {
    const api = await apiThat([accepted], (await createAuthority()).server);
    const { outcome } = await send(providerAt(api.url), messageWith());
    expect(outcome).toMatchObject({ kind: "deferred", failure: { cause: "outage", stage: "tls" } });
    expect(api.requests).toHaveLength(0);
  });

  test("where TLS is never answered", async () => {
    const provider = providerAt(`https://127.0.0.1:${await mutePort()}`, { timeouts: { connectMs: 500 } });
    const { outcome } = await send(provider, messageWith());
    expect(outcome).toMatchObject({
      kind: "deferred",
      failure: { cause: "outage", stage: "tls", reason: "no connection within 500 ms" },
    });
  });

  test("where the attempt was stopped while all connections were taken", async () => {
    const api = await apiThat(["silence"]);
    const provider = providerAt(api.url, { connections: 1 });
    const received = api.received();
    void send(provider, messageWith());
    await received;
    const controller = new AbortController();
    const waiting = send(provider, messageWith(), { signal: controller.signal });
    controller.abort();
    expect((await waiting).outcome).toMatchObject({ kind: "deferred", failure: { cause: "outage", stage: "queue" } });
    expect(api.requests).toHaveLength(1);
  });

  test("where the attempt was stopped before it began", async () => {
    const api = await apiThat([accepted]);
    const { outcome } = await send(providerAt(api.url), messageWith(), { signal: AbortSignal.abort() });
    expect(outcome).toMatchObject({ kind: "deferred", failure: { rule: "attempt-abandoned", stage: "queue" } });
    expect(api.connectionCount()).toBe(0);
  });

  test("where the attempt was stopped during the handshake", async () => {
    const controller = new AbortController();
    const provider = providerAt(`https://127.0.0.1:${await mutePort()}`);
    const outcome = await provider.send(
      { message: messageWith(), recipients: ["ada@example.com"] },
      { signal: controller.signal, onStage: (stage) => stage === "tls" && controller.abort() },
    );
    expect(outcome).toMatchObject({ kind: "deferred", failure: { rule: "attempt-abandoned", stage: "tls" } });
  });
});

describe("it may have been accepted", () => {
  test("where no answer comes", async () => {
    const api = await apiThat(["silence"]);
    const { outcome } = await send(providerAt(api.url, { timeouts: { responseMs: 200 } }), messageWith());
    expect(outcome).toMatchObject({
      kind: "uncertain",
      failure: { cause: "uncertain", stage: "http", reason: "no answer within 200 ms" },
    });
    expect(api.requests).toHaveLength(1);
  });

  test("where the whole takes too long", async () => {
    const api = await apiThat(["silence"]);
    const { outcome } = await send(providerAt(api.url, { timeouts: { totalMs: 1_000 } }), messageWith());
    expect(outcome).toMatchObject({ kind: "uncertain", failure: { reason: "the attempt took longer than 1000 ms" } });
  });

  test("where the server hangs up on a new connection", async () => {
    const api = await apiThat(["drop"]);
    expect((await send(providerAt(api.url), messageWith())).outcome.kind).toBe("uncertain");
    expect(api.requests).toHaveLength(1);
  });

  test("where the server hangs up on a reused one: it is not sent again", async () => {
    const api = await apiThat([accepted, "drop"]);
    const provider = providerAt(api.url);
    await send(provider, messageWith());
    expect((await send(provider, messageWith())).outcome.kind).toBe("uncertain");
    expect(api.requests).toHaveLength(2);
    expect(api.connectionCount()).toBe(1);
  });

  test("where the attempt was stopped after the request went out", async () => {
    const api = await apiThat(["silence"]);
    const controller = new AbortController();
    const received = api.received();
    const sending = send(providerAt(api.url), messageWith(), { signal: controller.signal });
    await received;
    controller.abort();
    expect((await sending).outcome).toMatchObject({ kind: "uncertain", failure: { stage: "http" } });
  });

  test("where the provider is closed meanwhile", async () => {
    const api = await apiThat(["silence"]);
    const provider = providerAt(api.url);
    const received = api.received();
    const sending = send(provider, messageWith());
    await received;
    await provider.close();
    expect((await sending).outcome.kind).toBe("uncertain");
    expect((await send(provider, messageWith())).outcome.kind).toBe("deferred");
    expect(api.requests).toHaveLength(1);
  });

  test("never where an attempt stopped at any moment says that nothing left", async () => {
    const api = await apiThat([accepted]);
    const provider = providerAt(api.url, { connections: 3 });
    const attempts: { readonly id: string; readonly kind: string }[] = [];
    const attempt = async (id: string, turnCount: number): Promise<void> => {
      const controller = new AbortController();
      const sending = send(provider, messageWith({}, { id }), { signal: controller.signal });
      for (let turn = 0; turn < turnCount; turn += 1) await setImmediate();
      controller.abort();
      attempts.push({ id, kind: (await sending).outcome.kind });
    };
    await send(provider, messageWith());
    for (let turnCount = 0; turnCount < 60; turnCount += 1) {
      await Promise.all([0, 1, 2, 3].map((more) => attempt(`${turnCount}-${more}`, turnCount + more)));
    }
    const deferred = attempts.filter(({ kind }) => kind === "deferred").map(({ id }) => id);
    const arrived = new Set(
      api.requests.map(({ json }) => (json as { headers: Record<string, string> }).headers["X-Mailover-Id"]),
    );
    expect(deferred.length).toBeGreaterThan(0);
    expect(arrived.size).toBeGreaterThan(0);
    expect(deferred.filter((id) => arrived.has(id))).toEqual([]);
  });
});
