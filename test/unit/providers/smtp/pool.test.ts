import { describe, expect, test } from "vitest";
import type { Outcome } from "../../../../src/core/index.ts";
import type { SmtpTransport } from "../../../../providers/smtp/transport.ts";
import { connectionsOf, setUp } from "./servers.ts";
import { message, watching } from "./support.ts";

const transmission = { message: message(), recipients: ["ann@example.test"] };

function send(transport: SmtpTransport, options = watching()): Promise<Outcome> {
  return transport.send(transmission, options);
}

describe("a connection is kept", () => {
  test("and used for the next message, which begins at MAIL", async () => {
    const { relay, transport } = await setUp();
    await send(transport);
    const second = watching();
    expect((await send(transport, second)).kind).toBe("relayed");
    expect(relay.connectionCount).toBe(1);
    expect(second.stages).toEqual(["mail", "rcpt", "data", "content", "reply"]);
  });

  test("after a message was refused", async () => {
    const { relay, transport } = await setUp();
    await relay.setFault({ kind: "reply", at: "dot", text: "554 5.6.0 Refused", count: 1 });
    expect((await send(transport)).kind).toBe("rejected");
    expect((await send(transport)).kind).toBe("relayed");
    expect(relay.connectionCount).toBe(1);
  });

  test("no longer than idleMs, and then ended with QUIT", async () => {
    const { relay, transport } = await setUp({}, { idleMs: 30 });
    await send(transport);
    await connectionsOf(relay, 0);
    expect(relay.transcript.some(({ text }) => text === "QUIT")).toBe(true);
  });

  test("for no more than so many messages", async () => {
    const { relay, transport } = await setUp({}, { messagesPerConnection: 2, maxConnections: 1 });
    for (let count = 0; count < 5; count += 1) expect((await send(transport)).kind).toBe("relayed");
    expect(relay.connectionCount).toBe(3);
    await connectionsOf(relay, 1);
  });

  test("not at all where idleMs is 0", async () => {
    const { relay, transport } = await setUp({}, { idleMs: 0 });
    await send(transport);
    await connectionsOf(relay, 0);
  });
});

describe("a kept connection that the server has closed", () => {
  test("is forgotten when that is seen", async () => {
    const { relay, transport } = await setUp();
    await send(transport);
    await relay.setFault({ kind: "refuse" });
    await connectionsOf(relay, 0);
    await relay.setFault(null);
    const second = watching();
    expect((await send(transport, second)).kind).toBe("relayed");
    expect(second.stages).toContain("connect");
  });

  const closings = [
    ["without a word", { kind: "drop", at: "mail", count: 1 }],
    ["with 421", { kind: "reply", at: "mail", text: "421 4.4.2 Timeout, closing", close: true, count: 1 }],
  ] as const;
  test.each(closings)("%s is replaced once within the attempt", async (_how, fault) => {
    const { relay, transport } = await setUp();
    await send(transport);
    await relay.setFault(fault);
    const second = watching();
    expect((await send(transport, second)).kind).toBe("relayed");
    expect(second.stages.filter((stage) => stage === "mail")).toHaveLength(2);
    expect([relay.connectionCount, relay.accepted.length]).toEqual([2, 2]);
  });

  test("is replaced once only", async () => {
    const { relay, transport } = await setUp();
    await send(transport);
    await relay.setFault({ kind: "drop", at: "mail" });
    expect(await send(transport)).toMatchObject({ kind: "deferred", failure: { cause: "outage", stage: "mail" } });
    expect(relay.connectionCount).toBe(2);
  });

  const answered = [
    ["after RCPT was answered", { kind: "drop", at: "data", count: 1 }, "deferred"],
    ["after the final dot", { kind: "drop", at: "dot", count: 1, accepted: true }, "uncertain"],
  ] as const;
  test.each(answered)("%s is not replaced", async (_when, fault, kind) => {
    const { relay, transport } = await setUp();
    await send(transport);
    await relay.setFault(fault);
    expect((await send(transport)).kind).toBe(kind);
    expect(relay.connectionCount).toBe(1);
  });

  test("and a new one is not replaced at all", async () => {
    const { relay, transport } = await setUp();
    await relay.setFault({ kind: "drop", at: "mail", count: 1 });
    expect((await send(transport)).kind).toBe("deferred");
    expect(relay.connectionCount).toBe(1);
  });
});

test("attempts beyond the limit wait in stage queue, in order", async () => {
  const { relay, transport } = await setUp({}, { maxConnections: 2 });
  await relay.setFault({ kind: "slow", at: "dot", delayMs: 20 });
  const watches = Array.from({ length: 8 }, () => watching());
  const ended: number[] = [];
  let most = 0;
  relay.onAccepted(() => (most = Math.max(most, relay.connections)));
  const outcomes = await Promise.all(
    watches.map(async (watch, index) => {
      const outcome = await send(transport, watch);
      ended.push(index);
      return outcome.kind;
    }),
  );
  expect(new Set(outcomes)).toEqual(new Set(["relayed"]));
  expect(most).toBe(2);
  expect(watches.map(({ stages }) => stages[0])).toEqual(["dns", "dns", ...Array<string>(6).fill("queue")]);
  const rounds = [0, 2, 4, 6].map((start) => ended.slice(start, start + 2).toSorted());
  expect(rounds).toEqual([
    [0, 1],
    [2, 3],
    [4, 5],
    [6, 7],
  ]);
});

test("a waiting attempt leaves when it is stopped, and the others move up", async () => {
  const { relay, transport } = await setUp({}, { maxConnections: 1 });
  await relay.setFault({ kind: "slow", at: "dot", delayMs: 50 });
  const first = send(transport);
  const stopped = send(transport, watching("queue"));
  const third = send(transport);
  expect(await stopped).toMatchObject({ kind: "deferred", failure: { stage: "queue", cause: "outage" } });
  expect([(await first).kind, (await third).kind]).toEqual(["relayed", "relayed"]);
  expect(relay.connectionCount).toBe(1);
});

describe("close", () => {
  test("stops attempts under way and those that wait, and leaves no connection", async () => {
    const { relay, transport } = await setUp({}, { maxConnections: 2 });
    await send(transport);
    await relay.setFault({ kind: "silence", at: "dot" });
    const watch = watching();
    const underWay = [send(transport, watch), send(transport), send(transport)];
    await expect.poll(() => watch.stages.at(-1)).toBe("reply");
    await transport.close();
    const kinds = (await Promise.all(underWay)).map(({ kind }) => kind);
    expect(kinds[0]).toBe("uncertain");
    expect(kinds[2]).toBe("deferred");
    await connectionsOf(relay, 0);
  });

  test("ends kept connections with QUIT, also of a server that does not answer it", async () => {
    const { relay, transport } = await setUp();
    await send(transport);
    await relay.setFault({ kind: "silence", at: "quit" });
    await transport.close();
    await connectionsOf(relay, 0);
    expect(relay.transcript.some(({ text }) => text === "QUIT")).toBe(true);
  });

  test("keeps later attempts from beginning", async () => {
    const { relay, transport } = await setUp();
    await transport.close();
    expect(await send(transport)).toMatchObject({ kind: "deferred", failure: { stage: "queue" } });
    expect(relay.connectionCount).toBe(0);
  });
});
