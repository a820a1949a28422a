import { createTransport } from "nodemailer";
import type { Transporter } from "nodemailer";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { createAuthority, startRelay } from "../../../src/lab/index.ts";
import type { CertificateOptions, RelayOptions, RelayServer, SmtpFault } from "../../../src/lab/index.ts";
import { RawSmtp } from "./raw-smtp.ts";

async function relay(options?: RelayOptions): Promise<RelayServer> {
  const server = await startRelay(options);
  onTestFinished(() => server.close());
  return server;
}

/** A connection that has said EHLO. */
async function greeted(server: RelayServer): Promise<RawSmtp> {
  const client = RawSmtp.open(server.port);
  onTestFinished(() => client.close());
  expect(await client.reply()).toBe("220 relay.lab.test ESMTP");
  expect(await client.ask("EHLO client.test")).toContain("250-relay.lab.test");
  return client;
}

const MESSAGE = "Message-ID: <1@app.test>\r\nX-Mailover-Id: m1\r\nSubject: x\r\n\r\n..dot\r\n";

/** Speaks a whole transaction up to its last reply; stops at the first that is not positive. */
async function submit(client: RawSmtp, recipient = "b@x.test"): Promise<string | null> {
  for (const line of ["MAIL FROM:<a@app.test>", `RCPT TO:<${recipient}>`, "DATA"]) {
    const reply = await client.ask(line);
    if (reply === null || !/^[23]/.test(reply)) return reply;
  }
  return client.ask(`${MESSAGE}.`);
}

describe("a session", () => {
  test("accepts a message and keeps it", async () => {
    const server = await relay({ clock: () => 42 });
    const seen: string[] = [];
    server.onAccepted(({ remoteId }) => seen.push(remoteId));
    const client = await greeted(server);
    const reply = await submit(client);
    expect(reply).toMatch(/^250 2\.0\.0 Ok: queued as [0-9A-F]{12}$/);
    const remoteId = reply?.split(" ").at(-1);
    expect(server.accepted).toEqual([
      {
        server: "relay",
        acceptedAt: 42,
        mailFrom: "a@app.test",
        rcptTo: ["b@x.test"],
        messageId: "<1@app.test>",
        mailoverId: "m1",
        content: Buffer.from(MESSAGE.replace("..dot", ".dot")),
        remoteId,
        user: null,
      },
    ]);
    expect(seen).toEqual([remoteId]);
    expect(await client.ask("QUIT")).toBe("221 2.0.0 Bye");
    await client.ended();
  });

  const commands: readonly [rule: string, lines: readonly string[], reply: RegExp][] = [
    ["an unknown command is a 500", ["FOO"], /^500 /],
    ["a command that is not implemented is a 502", ["VRFY a"], /^502 /],
    ["RCPT needs MAIL", ["RCPT TO:<b@x.test>"], /^503 /],
    ["DATA needs a recipient", ["MAIL FROM:<>", "DATA"], /^554 5\.5\.1/],
    ["a second MAIL is a 503", ["MAIL FROM:<>", "MAIL FROM:<>"], /^503 /],
    ["RSET forgets the sender", ["MAIL FROM:<>", "RSET", "MAIL FROM:<>"], /^250 /],
    ["an address without @ is a 501", ["MAIL FROM:<a>"], /^501 5\.1\.7/],
    ["a path without brackets is a 501", ["MAIL FROM:a@x.test"], /^501 5\.5\.4/],
    ["a declared size beyond the limit is a 552", ["MAIL FROM:<a@x.test> SIZE=99999999"], /^552 5\.3\.4/],
    ["an unknown parameter is a 555", ["MAIL FROM:<a@x.test> FOO=1"], /^555 5\.5\.4/],
    ["DSN parameters are taken", ["MAIL FROM:<a@x.test> RET=HDRS ENVID=1"], /^250 /],
    ["an address beyond ASCII needs SMTPUTF8", ["MAIL FROM:<ä@x.test>"], /^553 5\.6\.7/],
    ["an address beyond ASCII is taken with SMTPUTF8", ["MAIL FROM:<ä@x.test> SMTPUTF8"], /^250 /],
    ["an unknown mailbox is a 550", ["MAIL FROM:<>", "RCPT TO:<unknown@x.test>"], /^550 5\.1\.1 .*User unknown/],
    ["a greylisted one is a 450", ["MAIL FROM:<>", "RCPT TO:<greylisted@x.test>"], /^450 4\.2\.0 .*Greylisted/],
    ["AUTH is not offered without users", ["AUTH PLAIN AGEAYg=="], /^504 /],
    ["STARTTLS is not offered without TLS", ["STARTTLS"], /^502 /],
  ];
  for (const [rule, lines, wanted] of commands) {
    test(`${rule}`, async () => {
      const client = await greeted(await relay());
      let reply: string | null = null;
      for (const line of lines) reply = await client.ask(line);
      expect(reply).toMatch(wanted);
    });
  }

  test("answers pipelined commands in order", async () => {
    const client = await greeted(await relay());
    client.write("MAIL FROM:<a@x.test>\r\nRCPT TO:<unknown@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\n");
    const replies = [await client.reply(), await client.reply(), await client.reply(), await client.reply()];
    expect(replies.map((reply) => reply?.slice(0, 3))).toEqual(["250", "550", "250", "354"]);
  });

  test("takes content in chunks where CHUNKING is offered", async () => {
    const server = await relay({ extensions: ["CHUNKING"] });
    const client = await greeted(server);
    await client.ask("MAIL FROM:<a@x.test>");
    await client.ask("RCPT TO:<b@x.test>");
    client.write("BDAT 5\r\n.a\r\n.");
    expect(await client.reply()).toMatch(/^250 /);
    client.write("BDAT 2 LAST\r\n\r\n");
    expect(await client.reply()).toMatch(/^250 2\.0\.0 Ok: queued/);
    expect(server.accepted[0]?.content.toString()).toBe(".a\r\n.\r\n");
  });

  test("refuses content that is too large once it has it all", async () => {
    const server = await relay({ maxMessageBytes: 50 });
    const client = await greeted(server);
    expect(await submit(client)).toMatch(/^552 5\.3\.4/);
    expect(server.accepted).toEqual([]);
    expect(await client.ask("NOOP")).toMatch(/^250 /);
  });

  test("greets a connection too many with 421", async () => {
    const server = await relay({ maxConnections: 1 });
    await greeted(server);
    const second = RawSmtp.open(server.port);
    expect(await second.reply()).toMatch(/^421 4\.7\.0/);
    await second.ended();
  });

  test("the transcript hides secrets and content", async () => {
    const server = await relay({ users: { ann: "s3cret" } });
    const client = await greeted(server);
    await client.ask(`AUTH PLAIN ${Buffer.from("\0ann\0s3cret").toString("base64")}`);
    await submit(client);
    await client.ask("c2VjcmV0IGluIHRoZSB3cm9uZyBwbGFjZQ==");
    const text = server.transcript.map((line) => `${line.from}: ${line.text}`).join("\n");
    expect(text).toContain("client: AUTH PLAIN ***");
    expect(text).toContain("client: <content, 66 bytes>");
    expect(text).not.toContain(Buffer.from("s3cret").toString("base64").slice(0, 6));
    expect(text).not.toContain("dot");
    expect(text).not.toContain("c2Vj");
    expect(text).toContain("client: <no command>");
  });
});

describe("with nodemailer", () => {
  const transporters: Transporter[] = [];
  afterEach(() => {
    for (const transporter of transporters.splice(0)) transporter.close();
  });
  const deliver = async (port: number, options: object): Promise<string> => {
    const transporter = createTransport({ host: "localhost", port, ...options });
    transporters.push(transporter);
    const info = await transporter.sendMail({ from: "a@app.test", to: "b@x.test", subject: "ü", text: ".\n..\n" });
    return info.response;
  };

  for (const method of ["PLAIN", "LOGIN", "CRAM-MD5"]) {
    test(`${method} signs in, and a wrong password does not`, async () => {
      const server = await relay({ users: { ann: "s3cret" } });
      const auth = { user: "ann", pass: "s3cret" };
      expect(await deliver(server.port, { auth, authMethod: method })).toMatch(/^250 /);
      expect(server.accepted[0]?.user).toBe("ann");
      await expect(deliver(server.port, { auth: { ...auth, pass: "x" }, authMethod: method })).rejects.toMatchObject({
        responseCode: 535,
        command: `AUTH ${method}`,
      });
    });
  }

  test("XOAUTH2 signs in, and a wrong token is refused at once", async () => {
    const server = await relay({ tokens: { ann: "t0ken" } });
    const auth = { type: "OAuth2", user: "ann", accessToken: "t0ken" };
    expect(await deliver(server.port, { auth })).toMatch(/^250 /);
    await expect(deliver(server.port, { auth: { ...auth, accessToken: "x" } })).rejects.toMatchObject({
      responseCode: 535,
    });
  });

  test("STARTTLS and implicit TLS with a certificate of the lab's authority", async () => {
    for (const tls of ["starttls", "implicit"] as const) {
      const server = await relay({ tls });
      const options = { secure: tls === "implicit", requireTLS: true };
      expect(await deliver(server.port, { ...options, tls: { ca: server.ca } })).toMatch(/^250 /);
      await expect(deliver(server.port, options)).rejects.toMatchObject({ command: "CONN" });
      expect(server.accepted).toHaveLength(1);
    }
  });

  const certificates: readonly [rule: string, options: CertificateOptions, code: string][] = [
    ["that has expired", { validUntil: new Date(Date.now() - 60_000) }, "CERT_HAS_EXPIRED"],
    ["for another host", { serverName: "mail.other.test" }, "ERR_TLS_CERT_ALTNAME_INVALID"],
  ];
  for (const [rule, options, originalCode] of certificates) {
    test(`a certificate ${rule} is noticed`, async () => {
      const server = await relay({ tls: "starttls", authority: await createAuthority(options) });
      const sending = deliver(server.port, { requireTLS: true, tls: { ca: server.ca } });
      await expect(sending).rejects.toMatchObject({ originalCode });
      expect(server.accepted).toEqual([]);
    });
  }

  test("where TLS is required neither AUTH nor MAIL goes without it", async () => {
    const server = await relay({ tls: "starttls", tlsRequired: true, users: { ann: "x" } });
    const client = await greeted(server);
    expect(await client.ask("EHLO a")).not.toContain("AUTH");
    expect(await client.ask("MAIL FROM:<>")).toMatch(/^530 5\.7\.0/);
  });
});

test("a refused XOAUTH2 by way of 334 and JSON", async () => {
  const server = await relay({ tokens: { ann: "t0ken" }, xoauth2Challenge: true });
  const client = await greeted(server);
  const response = Buffer.from("user=ann\u0001auth=Bearer no\u0001\u0001").toString("base64");
  const challenge = await client.ask(`AUTH XOAUTH2 ${response}`);
  expect(JSON.parse(Buffer.from(challenge?.slice(4) ?? "", "base64").toString())).toMatchObject({ status: "401" });
  expect(await client.ask("")).toMatch(/^535 5\.7\.8/);
});

describe("faults", () => {
  test("refuse: connects are refused and live connections dropped, until it is lifted", async () => {
    const server = await relay();
    const live = await greeted(server);
    await server.setFault({ kind: "refuse" });
    await live.ended();
    const refused = RawSmtp.open(server.port);
    const code = await new Promise((resolve) =>
      refused.socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code)),
    );
    expect(code).toBe("ECONNREFUSED");
    await server.setFault(null);
    expect(await submit(await greeted(server))).toMatch(/^250 /);
  });

  const points = ["mail", "rcpt", "data", "dot"] as const;
  for (const at of points) {
    test(`reply at ${at}: word for word, on a live connection too`, async () => {
      const server = await relay();
      const client = await greeted(server);
      await server.setFault({ kind: "reply", at, text: "451-4.3.0 One\n451 4.3.0 Two" });
      expect(await submit(client)).toBe("451-4.3.0 One\n451 4.3.0 Two");
      expect(server.accepted).toEqual([]);
      await server.setFault(null);
      expect(await client.ask("RSET")).toMatch(/^250 /);
      expect(await submit(client)).toMatch(/^250 /);
    });

    test(`drop at ${at}: hangs up there`, async () => {
      const server = await relay();
      const client = await greeted(server);
      await server.setFault({ kind: "drop", at });
      expect(await submit(client)).toBeNull();
      expect(server.accepted).toEqual([]);
      expect(server.transcript.findLast(({ from }) => from === "client")?.text).toMatch(
        at === "dot" ? /<content/ : new RegExp(`^${at}`, "i"),
      );
    });

    test(`silence at ${at}: nothing more comes, not even for other commands`, async () => {
      const server = await relay();
      const client = await greeted(server);
      await server.setFault({ kind: "silence", at });
      const answer = submit(client);
      await waitFor(() =>
        server.transcript.some(({ text }) => text.toLowerCase().startsWith(at === "dot" ? "<content" : at)),
      );
      client.write("NOOP\r\n");
      // A second connection gets its answers, so the first has had its time.
      await greeted(server);
      expect(client.received).toBe("");
      client.close();
      expect(await answer).toBeNull();
    });
  }

  test("silence at any: a live connection at its next command, a new one from the start", async () => {
    const server = await relay();
    const live = await greeted(server);
    await server.setFault({ kind: "silence", at: "any" });
    const fresh = RawSmtp.open(server.port);
    live.write("NOOP\r\n");
    await waitFor(() => server.transcript.at(-1)?.text === "NOOP");
    await waitFor(() => server.connections === 2);
    await server.setFault(null);
    await greeted(server);
    expect([live.received, fresh.received]).toEqual(["", ""]);
  });

  test("accepted: the message is taken although the answer never comes", async () => {
    for (const kind of ["drop", "silence"] as const) {
      const server = await relay();
      const client = await greeted(server);
      await server.setFault({ kind, at: "dot", accepted: true });
      const answer = submit(client);
      await waitFor(() => server.accepted.length === 1);
      client.close();
      expect(await answer).toBeNull();
    }
  });

  test("drop at content: in the middle of it", async () => {
    const server = await relay();
    const client = await greeted(server);
    await server.setFault({ kind: "drop", at: "content" });
    for (const line of ["MAIL FROM:<>", "RCPT TO:<b@x.test>", "DATA"]) await client.ask(line);
    client.write("Subject: only the beg");
    await client.ended();
    expect(server.accepted).toEqual([]);
  });

  test("silence at content: the server stops reading", async () => {
    const server = await relay();
    const client = await greeted(server);
    await server.setFault({ kind: "silence", at: "content" });
    for (const line of ["MAIL FROM:<>", "RCPT TO:<b@x.test>", "DATA"]) await client.ask(line);
    const block = Buffer.alloc(1_048_576, "x\r\n");
    let writtenCount = 0;
    while (client.socket.write(block) && writtenCount < 64) writtenCount += 1;
    for (; writtenCount < 64 && client.socket.writableLength < 16 * block.length; writtenCount += 1) {
      client.socket.write(block);
      await new Promise(setImmediate);
    }
    expect(client.socket.writableLength).toBeGreaterThan(8 * block.length);
  });

  test("slow: every reply comes late, on a live connection too", async () => {
    const server = await relay();
    const client = await greeted(server);
    await server.setFault({ kind: "slow", delayMs: 60 });
    const startedAt = performance.now();
    await client.ask("NOOP");
    await client.ask("NOOP");
    expect(performance.now() - startedAt).toBeGreaterThan(115);
  });

  test("slow at one point leaves the others alone", async () => {
    const server = await relay();
    const client = await greeted(server);
    await server.setFault({ kind: "slow", at: "dot", delayMs: 60_000 });
    expect(await client.ask("NOOP")).toMatch(/^250 /);
    void submit(client);
    // Taken at once, answered late: what a client that gives up cannot know.
    await waitFor(() => server.accepted.length === 1);
  });

  test("garbage is no reply", async () => {
    const server = await relay();
    await server.setFault({ kind: "garbage", at: "greeting" });
    const client = RawSmtp.open(server.port);
    await waitFor(() => client.received.includes("garbage"));
    expect(client.received).not.toMatch(/^\d{3}[ -]/m);
    client.close();
  });

  test("reply for recipients that match only", async () => {
    const server = await relay();
    const client = await greeted(server);
    await server.setFault({ kind: "reply", at: "rcpt", text: "452 4.2.2 Full", recipient: "^full@" });
    await client.ask("MAIL FROM:<>");
    expect(await client.ask("RCPT TO:<b@x.test>")).toMatch(/^250 /);
    expect(await client.ask("RCPT TO:<FULL@x.test>")).toBe("452 4.2.2 Full");
  });

  test("a positive reply has the usual effect", async () => {
    const server = await relay();
    const client = await greeted(server);
    await server.setFault({ kind: "reply", at: "dot", text: "250 Thanks" });
    expect(await submit(client)).toBe("250 Thanks");
    expect(server.accepted).toHaveLength(1);
  });

  test("reply and close: 421 and the end", async () => {
    const server = await relay();
    const client = await greeted(server);
    await server.setFault({ kind: "reply", at: "mail", text: "421 4.3.2 Going away", close: true });
    expect(await submit(client)).toBe("421 4.3.2 Going away");
    await client.ended();
  });

  test("count: the first times only", async () => {
    const server = await relay();
    const client = await greeted(server);
    await server.setFault({ kind: "reply", at: "noop", text: "450 4.3.0 Not yet", count: 2 });
    const replies = [await client.ask("NOOP"), await client.ask("NOOP"), await client.ask("NOOP")];
    expect(replies.map((reply) => reply?.slice(0, 3))).toEqual(["450", "450", "250"]);
  });

  test("share: about that many, the same for the same seed", async () => {
    const run = async (seed: number): Promise<string> => {
      const server = await relay({ seed });
      const client = await greeted(server);
      await server.setFault({ kind: "reply", at: "noop", text: "450 No", share: 0.25 });
      let digits = "";
      for (let asked = 0; asked < 200; asked += 1) digits += (await client.ask("NOOP"))?.[0];
      return digits;
    };
    const first = await run(1);
    expect(first.split("4").length - 1).toBeGreaterThan(30);
    expect(first.split("4").length - 1).toBeLessThan(70);
    expect(await run(1)).toBe(first);
    expect(await run(2)).not.toBe(first);
  });

  test("several at once: delays come on top of the first that strikes", async () => {
    const server = await relay();
    const client = await greeted(server);
    const faults: readonly SmtpFault[] = [
      { kind: "slow", delayMs: 50 },
      { kind: "reply", at: "noop", text: "450 first", count: 1 },
      { kind: "reply", at: "noop", text: "450 second" },
    ];
    await server.setFaults(faults);
    const startedAt = performance.now();
    expect(await client.ask("NOOP")).toBe("450 first");
    expect(performance.now() - startedAt).toBeGreaterThan(48);
    expect(await client.ask("NOOP")).toBe("450 second");
    expect(server.faults).toEqual(faults);
  });

  const handshakes: readonly SmtpFault[] = [
    { kind: "silence", at: "tls" },
    { kind: "drop", at: "tls" },
    { kind: "garbage", at: "tls" },
  ];
  for (const fault of handshakes) {
    for (const tls of ["starttls", "implicit"] as const) {
      test(`${fault.kind} in the handshake of ${tls}`, async () => {
        const server = await relay({ tls });
        await server.setFault(fault);
        const transporter = createTransport({
          host: "localhost",
          port: server.port,
          secure: tls === "implicit",
          requireTLS: true,
          tls: { ca: server.ca ?? "" },
          connectionTimeout: 500,
          greetingTimeout: 500,
        });
        await expect(transporter.verify()).rejects.toMatchObject({ command: "CONN" });
        await server.setFault(null);
        await expect(transporter.verify()).resolves.toBe(true);
        transporter.close();
      });
    }
  }
});

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
