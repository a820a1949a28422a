import { describe, expect, test } from "vitest";
import type { Transmission } from "../../../../src/core/index.ts";
import { setUp } from "./servers.ts";
import { MIME, largeMime, message, watching } from "./support.ts";

function to(...recipients: readonly string[]): Transmission {
  return { message: message(), recipients };
}

describe("a message that is taken", () => {
  test("is relayed with the server's id, its reply and every stage in order", async () => {
    const { relay, transport } = await setUp();
    const options = watching();
    const outcome = await transport.send(to("ann@example.test"), options);
    const accepted = relay.accepted[0]!;
    expect(outcome).toEqual({
      kind: "relayed",
      remoteId: accepted.remoteId,
      reply: `250 2.0.0 Ok: queued as ${accepted.remoteId}`,
      refused: [],
    });
    expect(options.stages).toEqual(["dns", "connect", "greeting", "ehlo", "mail", "rcpt", "data", "content", "reply"]);
    expect(accepted).toMatchObject({ mailFrom: "app@contoso.test", rcptTo: ["ann@example.test"] });
  });

  test("goes to the recipients of the attempt, not to those of the envelope", async () => {
    const { relay, transport } = await setUp();
    await transport.send(to("ben@example.test", "eve@example.test"), watching());
    expect(relay.accepted[0]!.rcptTo).toEqual(["ben@example.test", "eve@example.test"]);
  });

  test("may have the null sender", async () => {
    const { relay, transport } = await setUp();
    const outcome = await transport.send({ message: message(MIME, ""), recipients: ["ann@example.test"] }, watching());
    expect(outcome.kind).toBe("relayed");
    expect(relay.accepted[0]!.mailFrom).toBe("");
  });
});

describe("the content arrives byte for byte", () => {
  const head = "From: app@contoso.test\r\n\r\n";
  const contents: readonly [name: string, mime: Buffer, tail: string][] = [
    ["dots at the start of lines", Buffer.from(`${head}.\r\n..\r\n.hidden\r\n...\r\nend.\r\n.\r\n`), ""],
    ["a line that could be the final dot's", Buffer.from(`${head}a\r\n.\r\nQUIT\r\n`), ""],
    ["bytes of 8 bits", Buffer.concat([Buffer.from(head), Buffer.from([0xff, 0x80, 0xc3, 0xa4, 0x0d, 0x0a])]), ""],
    ["a line of 100,000 letters", Buffer.from(`${head}${"y".repeat(100_000)}\r\n`), ""],
    ["no line end at its end", Buffer.from(`${head}the end`), "\r\n"],
    ["a lone CR at its end", Buffer.from(`${head}the end\r`), "\n"],
    ["nothing but a header", Buffer.from(head), ""],
    ["10 MB", largeMime(10_000_000), ""],
    ["dots at the edges of slices", Buffer.from(`${head}${`.${"z".repeat(61)}\r\n`.repeat(4_096)}`), ""],
  ];
  test.each(contents)("with %s", async (_name, mime, tail) => {
    const { relay, transport } = await setUp();
    const outcome = await transport.send({ message: message(mime), recipients: ["ann@example.test"] }, watching());
    expect(outcome.kind).toBe("relayed");
    expect(relay.accepted[0]!.content.equals(Buffer.concat([mime, Buffer.from(tail)]))).toBe(true);
  });

  test("and 8 bits are declared only where there are some and the server takes them", async () => {
    const { relay, transport } = await setUp();
    const eight = Buffer.from(`${head}ä\r\n`);
    await transport.send({ message: message(eight), recipients: ["ann@example.test"] }, watching());
    await transport.send(to("ann@example.test"), watching());
    const mail = relay.transcript.filter(({ text }) => text.startsWith("MAIL")).map(({ text }) => text);
    expect(mail).toEqual([
      `MAIL FROM:<app@contoso.test> BODY=8BITMIME SIZE=${eight.length}`,
      `MAIL FROM:<app@contoso.test> SIZE=${MIME.length}`,
    ]);
  });
});

describe.each([
  ["pipelined", ["PIPELINING"]],
  ["one by one", []],
])("refused recipients, %s", (_dialect, extensions) => {
  test("are told apart from the others, each by its own reply", async () => {
    const { relay, transport } = await setUp({ extensions });
    const recipients = ["unknown@example.test", "ann@example.test", "greylisted@example.test", "ben@example.test"];
    const outcome = await transport.send(to(...recipients), watching());
    expect(outcome).toMatchObject({
      kind: "relayed",
      refused: [
        { recipient: "unknown@example.test", failure: { cause: "recipient", stage: "rcpt", status: "5.1.1" } },
        { recipient: "greylisted@example.test", failure: { cause: "busy", stage: "rcpt", status: "4.2.0" } },
      ],
    });
    expect(relay.accepted[0]!.rcptTo).toEqual(["ann@example.test", "ben@example.test"]);
  });

  test("all of them for good: rejected", async () => {
    const { transport } = await setUp({ extensions });
    const outcome = await transport.send(to("unknown@a.test", "unknown@b.test"), watching());
    expect(outcome).toMatchObject({
      kind: "rejected",
      failure: { cause: "recipient", stage: "rcpt", reason: expect.stringContaining("unknown@a.test") },
      refused: [{ recipient: "unknown@a.test" }, { recipient: "unknown@b.test" }],
    });
  });

  test("all of them, one for now: deferred, with that one's reply", async () => {
    const { transport } = await setUp({ extensions });
    const outcome = await transport.send(to("unknown@a.test", "greylisted@b.test"), watching());
    expect(outcome).toMatchObject({
      kind: "deferred",
      failure: { cause: "busy", stage: "rcpt", reason: expect.stringContaining("greylisted@b.test") },
      refused: [{ failure: { cause: "recipient" } }, { failure: { cause: "busy" } }],
    });
  });

  test("stay refused where the rest is uncertain, deferred or rejected", async () => {
    const { relay, transport } = await setUp({ extensions });
    const refused = [{ recipient: "unknown@a.test", failure: { cause: "recipient" } }];
    await relay.setFault({ kind: "drop", at: "dot" });
    const lost = await transport.send(to("unknown@a.test", "ann@example.test"), watching());
    expect(lost).toMatchObject({ kind: "uncertain", refused });
    await relay.setFault({ kind: "reply", at: "dot", text: "451 4.3.0 Queue full" });
    const later = await transport.send(to("unknown@a.test", "ann@example.test"), watching());
    expect(later).toMatchObject({ kind: "deferred", failure: { stage: "reply" }, refused });
    await relay.setFault({ kind: "reply", at: "data", text: "554 5.6.0 No" });
    const never = await transport.send(to("unknown@a.test", "ann@example.test"), watching());
    expect(never).toMatchObject({ failure: { stage: "data" }, refused });
  });

  test("are none where the sender was refused", async () => {
    const { relay, transport } = await setUp({ extensions });
    await relay.setFault({ kind: "reply", at: "mail", text: "553 5.7.1 Sender address rejected: not owned by user" });
    const outcome = await transport.send(to("ann@example.test", "ben@example.test"), watching());
    expect(outcome).toMatchObject({ kind: "rejected", failure: { cause: "sender", stage: "mail" }, refused: [] });
  });

  test("leave nothing behind for the next message", async () => {
    const { relay, transport } = await setUp({ extensions });
    await transport.send(to("unknown@a.test"), watching());
    const outcome = await transport.send(to("ann@example.test"), watching());
    expect(outcome).toMatchObject({ kind: "relayed", refused: [] });
    expect(relay.connectionCount).toBe(1);
  });
});

describe("what the server does not offer", () => {
  test("a message over its SIZE is not begun, and the connection stays", async () => {
    const { relay, transport } = await setUp({ maxMessageBytes: 100 });
    const outcome = await transport.send(to("ann@example.test"), watching());
    expect(outcome).toMatchObject({ kind: "rejected", failure: { cause: "size", stage: "mail", status: "5.3.4" } });
    expect(relay.transcript.some(({ text }) => text.startsWith("MAIL"))).toBe(false);
    expect(relay.connections).toBe(1);
  });

  test("SMTPUTF8: a domain is written in ASCII, a recipient that cannot be is refused alone", async () => {
    const { relay, transport } = await setUp({ extensions: [] });
    const outcome = await transport.send(to("ann@bücher.test", "jörg@example.test"), watching());
    expect(outcome).toMatchObject({
      kind: "relayed",
      refused: [{ recipient: "jörg@example.test", failure: { cause: "content", elsewhere: true, status: "5.6.7" } }],
    });
    expect(relay.accepted[0]!.rcptTo).toEqual(["ann@xn--bcher-kva.test"]);
  });

  test("SMTPUTF8: such a sender, or only such recipients, is a failure before anything is written", async () => {
    const { relay, transport } = await setUp({ extensions: [] });
    const from = { message: message(MIME, "jörg@contoso.test"), recipients: ["ann@example.test"] };
    expect(await transport.send(from, watching())).toMatchObject({
      kind: "rejected",
      failure: { cause: "content", elsewhere: true, stage: "mail" },
      refused: [],
    });
    expect(await transport.send(to("jörg@example.test"), watching())).toMatchObject({
      kind: "rejected",
      failure: { cause: "content", elsewhere: true, stage: "rcpt" },
      refused: [{ recipient: "jörg@example.test" }],
    });
    expect(relay.transcript.some(({ text }) => text.startsWith("MAIL"))).toBe(false);
  });

  test("SMTPUTF8 where it is offered takes addresses as they are", async () => {
    const { relay, transport } = await setUp();
    await transport.send(to("jörg@bücher.test"), watching());
    expect(relay.accepted[0]!.rcptTo).toEqual(["jörg@bücher.test"]);
  });
});
