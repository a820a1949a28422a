import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { providerDefinitions } from "../../../providers/index.ts";
import type { Message, Provider, Stage } from "../../../src/core/index.ts";
import { LAB_ACCOUNT, startRelay, startSendGrid } from "../../../src/lab/index.ts";
import type { LabServer } from "../../../src/lab/index.ts";

const from = { name: null, address: LAB_ACCOUNT.mailbox };

function messageOf(text: string): Message {
  return {
    id: "m1",
    messageId: "<m1@contoso.com>",
    date: new Date(0),
    envelope: { mailFrom: from.address, rcptTo: ["ann@example.org"] },
    from,
    class: "transactional",
    tags: [],
    tenant: null,
    metadata: {},
    parts: {
      from,
      to: [{ name: null, address: "ann@example.org" }],
      cc: [],
      bcc: [],
      replyTo: [],
      subject: "s",
      text,
      html: null,
      headers: [],
      attachments: [],
      calendar: null,
    },
    mime: Buffer.from(`From: ${from.address}\r\nSubject: s\r\n\r\n${text}\r\n`),
  };
}

function make(kind: string, settings: object): Provider {
  const definition = providerDefinitions.find((one) => one.kind === kind);
  const parsed = definition?.settings.safeParse({ kind, ...settings });
  if (definition === undefined || parsed?.success !== true) throw new Error("bad settings");
  return definition.create(kind, parsed.data, { clock: Date.now, notice: () => undefined });
}

const kinds: readonly [kind: string, open: () => Promise<LabServer>, settings: (server: LabServer) => object][] = [
  ["smtp", startRelay, ({ port }) => ({ host: "127.0.0.1", port, tls: "none" })],
  ["sendgrid", startSendGrid, ({ port }) => ({ apiKey: LAB_ACCOUNT.sendGridKey, baseUrl: `http://127.0.0.1:${port}` })],
];

describe.each(kinds)("%s", (kind, open, settings) => {
  let server: LabServer;
  let provider: Provider;
  let stages: Stage[];

  beforeAll(async () => {
    server = await open();
    provider = make(kind, settings(server));
  });
  afterAll(async () => {
    await provider.close();
    await server.close();
  });
  beforeEach(() => {
    server.clear();
    stages = [];
  });

  const send = (text: string, commit: () => Promise<boolean>): ReturnType<Provider["send"]> =>
    provider.send(
      { message: messageOf(text), recipients: ["ann@example.org"] },
      { signal: AbortSignal.timeout(10_000), onStage: (stage) => stages.push(stage), commit },
    );

  test.each([
    ["small", "Hello."],
    ["large", "x".repeat(70).concat("\r\n").repeat(5_000)],
  ])("asks once before a %s message may be accepted, and waits for the answer", async (_size, text) => {
    let asked = 0;
    const outcome = await send(text, async () => {
      asked += 1;
      expect(stages).not.toContain("reply");
      expect(stages).not.toContain("http");
      // Long enough for a server on loopback to accept what would have left too soon.
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(server.accepted).toHaveLength(0);
      return true;
    });
    expect(outcome.kind).toBe("relayed");
    expect(asked).toBe(1);
    expect(server.accepted).toHaveLength(1);
  });

  test.each([
    ["no", async () => false],
    ["an error", () => Promise.reject(new Error("Redis is away"))],
  ])("sends nothing when the answer is %s, and that is certain", async (_answer, commit) => {
    const outcome = await send("Hello.", commit);
    expect(outcome).toMatchObject({ kind: "deferred", failure: { cause: "outage" } });
    expect((await send("Hello again.", async () => true)).kind).toBe("relayed");
    expect(server.accepted).toHaveLength(1);
  });
});
