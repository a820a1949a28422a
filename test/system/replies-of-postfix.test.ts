import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MailoverClient } from "../../src/client.ts";
import type { DeliveryRecord } from "../../src/core/index.ts";
import { createAuthority } from "../../src/lab/certificate.ts";
import { mail, relaySettings } from "../scenario/gateway.ts";
import { Aiosmtpd, noAiosmtpd } from "./aiosmtpd.ts";
import { Installation } from "./installation.ts";
import { Postfix, noPostfix } from "./postfix.ts";
import { RedisServer } from "./redis.ts";

/** One refusal of Postfix: what brings it about, and what Mailover must make of it. */
type Row = {
  readonly rule: string;
  /** Port of Postfix that it happens at. */
  readonly listener?: string;
  readonly message: object;
  /** The first attempt, at Postfix: outcome, cause and stage. */
  readonly first: readonly [outcome: string, cause: string, stage: string];
  readonly reply: RegExp;
  /** Who relays it in the end; null: it bounces and nobody else is asked. */
  readonly relayedBy: "aiosmtpd" | null;
};

const RECIPIENTS = {
  "later@example.org": "450 4.2.0 Greylisted, try again in five minutes",
  "lookup@example.org": "451 4.3.0 Temporary lookup failure",
  "shutting-down@example.org": "421 4.3.2 Service shutting down",
  "disabled@example.org": "550 5.2.1 The mailbox is disabled",
  "full@example.org": "452 4.2.2 Mailbox full",
  "blocked@example.org": "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example",
};
const SENDERS = { "not-ours@contoso.example": "553 5.7.1 not owned by this account" };

const ROWS: readonly Row[] = [
  {
    rule: "greylisting of a recipient is not the message's end",
    message: mail({ to: "later@example.org" }),
    first: ["deferred", "busy", "rcpt"],
    reply: /^450 4\.2\.0 <later@example\.org>: Recipient address rejected: Greylisted/,
    relayedBy: "aiosmtpd",
  },
  {
    rule: "a fault of the server's own goes elsewhere",
    message: mail({ to: "lookup@example.org" }),
    first: ["deferred", "busy", "rcpt"],
    reply: /^451 4\.3\.0 /,
    relayedBy: "aiosmtpd",
  },
  {
    rule: "421 amid the transaction, with the connection closed, goes elsewhere",
    message: mail({ to: "shutting-down@example.org" }),
    first: ["deferred", "busy", "rcpt"],
    reply: /^421 4\.3\.2 /,
    relayedBy: "aiosmtpd",
  },
  {
    rule: "a full mailbox that may have room later is not the message's end",
    message: mail({ to: "full@example.org" }),
    first: ["deferred", "busy", "rcpt"],
    reply: /^452 4\.2\.2 /,
    relayedBy: "aiosmtpd",
  },
  {
    rule: "an unknown mailbox bounces at once",
    message: mail({ to: "unknown@example.org" }),
    first: ["rejected", "recipient", "rcpt"],
    reply: /^550 5\.1\.1 .*User unknown in virtual mailbox table/,
    relayedBy: null,
  },
  {
    rule: "a closed mailbox bounces at once",
    message: mail({ to: "disabled@example.org" }),
    first: ["rejected", "recipient", "rcpt"],
    reply: /^550 5\.2\.1 /,
    relayedBy: null,
  },
  {
    rule: "a listed address of ours is no fault of the recipient",
    message: mail({ to: "blocked@example.org" }),
    first: ["rejected", "reputation", "rcpt"],
    reply: /^554 5\.7\.1 .*blocked using/,
    relayedBy: "aiosmtpd",
  },
  {
    rule: "a sender it will not send as goes elsewhere, though Postfix says so at RCPT only",
    message: mail({ from: "not-ours@contoso.example" }),
    first: ["rejected", "sender", "rcpt"],
    reply: /^553 5\.7\.1 <not-ours@contoso\.example>: Sender address rejected/,
    relayedBy: "aiosmtpd",
  },
  {
    rule: "relaying denied never bounces",
    message: mail({ to: "ann@elsewhere.example" }),
    first: ["rejected", "auth", "rcpt"],
    reply: /^554 5\.7\.1 .*Relay access denied/,
    relayedBy: "aiosmtpd",
  },
  {
    rule: "a refused client never bounces",
    listener: "closed",
    message: mail(),
    first: ["rejected", "auth", "rcpt"],
    reply: /^554 5\.7\.1 .*Client host rejected: Access denied/,
    relayedBy: "aiosmtpd",
  },
  {
    rule: "a refused content goes to another provider",
    message: mail({ subject: "Buy now" }),
    first: ["rejected", "content", "reply"],
    reply: /^550 5\.7\.1 no advertising here/,
    relayedBy: "aiosmtpd",
  },
  {
    rule: "a message that is too large goes to another provider, though both have the same settings",
    message: mail({ text: "long line\n".repeat(8_000) }),
    first: ["rejected", "size", "mail"],
    // Its EHLO says SIZE 50000: it need not be asked.
    reply: /^the message has \d+ bytes, the server takes 50000/,
    relayedBy: "aiosmtpd",
  },
  {
    rule: "a server that wants TLS first is a matter of settings, and mail goes elsewhere",
    listener: "tls",
    message: mail(),
    first: ["rejected", "auth", "mail"],
    reply: /^530 5\.7\.0 Must issue a STARTTLS command first/,
    relayedBy: "aiosmtpd",
  },
];

const missing = noPostfix ?? noAiosmtpd;

describe.skipIf(missing !== null)(`replies of Postfix${missing === null ? "" : `: not run, ${missing}`}`, () => {
  let redis: RedisServer;
  let postfix: Postfix;
  let aiosmtpd: Aiosmtpd;
  let installation: Installation;
  let client: MailoverClient;

  /** A provider for each row, so that what one row does to a breaker is nothing to the next. */
  const nameOf = (row: Row): string => `postfix-${ROWS.indexOf(row)}`;

  const relayedOr = async (message: object): Promise<{ kind: string; record: DeliveryRecord }> => {
    const jobId = await client.send(message);
    const { kind, record } = await client.follow(jobId, { signal: AbortSignal.timeout(30_000) });
    if (record === null) throw new Error("the job has no record");
    return { kind, record };
  };

  beforeAll(async () => {
    redis = await RedisServer.start();
    aiosmtpd = await Aiosmtpd.start();
    postfix = await Postfix.start({
      listeners: {
        open: {},
        closed: { smtpd_client_restrictions: "reject" },
        tls: { smtpd_tls_security_level: "encrypt" },
        slow: { smtpd_client_message_rate_limit: "2", smtpd_client_event_limit_exceptions: "" },
      },
      recipients: RECIPIENTS,
      senders: SENDERS,
      headers: ["/^Subject: Buy now/ REJECT no advertising here"],
      messageSizeLimit: 50_000,
      certificate: (await createAuthority()).server,
    });
    const rows = ROWS.map((row) => [nameOf(row), relaySettings({ port: postfix.port(row.listener ?? "open") })]);
    installation = await Installation.create({
      redis: { url: redis.url },
      log: { level: "debug", addresses: true },
      providers: {
        postfix: relaySettings({ port: postfix.port("open") }, { priority: 10 }),
        limited: relaySettings({ port: postfix.port("slow") }),
        aiosmtpd: relaySettings(aiosmtpd, { priority: 20 }),
        ...Object.fromEntries(rows),
      },
    });
    await installation.start();
    client = installation.client(redis.url);
  });

  afterAll(async () => {
    await installation?.close();
    await postfix?.close();
    await aiosmtpd?.close();
    await redis?.close();
  });

  test("what it takes is known by its own queue ids, and arrives once", async () => {
    const subjects = Array.from({ length: 20 }, (_, number) => `Größe ${number} – 寸法`);
    const ends = await Promise.all(subjects.map((subject) => relayedOr(mail({ subject, providers: ["postfix"] }))));
    const queued = await postfix.queued();
    for (const { kind, record } of ends) {
      expect(kind).toBe("relayed");
      expect(queued.get(record.messageId)).toEqual([record.remoteId]);
    }
    const delivered = await postfix.delivered();
    const ids = delivered.map((text) => /^X-Mailover-Id: (.*)$/m.exec(text)?.[1]);
    expect(ids.toSorted()).toEqual(ends.map(({ record }) => record.id).toSorted());
  });

  test("of several recipients the refused ones bounce and the others get it", async () => {
    const message = mail({ to: ["ann@example.org", "unknown@example.org", "ben@example.org"], providers: ["postfix"] });
    const { kind, record } = await relayedOr(message);
    expect(kind).toBe("relayed");
    expect(record.recipients).toMatchObject([
      { address: "ann@example.org", status: "relayed" },
      { address: "unknown@example.org", status: "refused", reason: expect.stringContaining("User unknown") },
      { address: "ben@example.org", status: "relayed" },
    ]);
    expect((await postfix.queued()).get(record.messageId)).toEqual([record.remoteId]);
  });

  for (const row of ROWS) {
    const { rule, message, first, reply, relayedBy } = row;
    test(rule, async () => {
      const { kind, record } = await relayedOr({ ...message, providers: [nameOf(row), "aiosmtpd"] });
      const [attempt, ...others] = record.attempts;
      const refused = record.recipients[0]?.reason ?? "";
      const said = attempt?.outcome === "relayed" ? refused : (attempt?.reply ?? "");
      expect([attempt?.outcome, attempt?.cause, attempt?.stage, said]).toEqual([
        ...first,
        expect.stringMatching(reply),
      ]);
      expect(others.map(({ provider, outcome }) => [provider, outcome])).toEqual(
        relayedBy === null ? [] : [[relayedBy, "relayed"]],
      );
      expect(kind).toBe(relayedBy === null ? "failed" : "relayed");
      // By its own log it has not queued it.
      expect((await postfix.queued()).get(record.messageId) ?? []).toHaveLength(0);
    });
  }

  test("its rate limit pauses it, and mail that does not wait goes elsewhere", async () => {
    const ends = [];
    for (let count = 0; count < 4; count += 1) {
      ends.push(await relayedOr(mail({ providers: ["limited", "aiosmtpd"], whenThrottled: "spill" })));
    }
    expect(ends.map(({ record }) => record.provider)).toEqual(["limited", "limited", "aiosmtpd", "aiosmtpd"]);
    expect(ends[2]?.record.attempts[0]).toMatchObject({
      cause: "throttled",
      reply: expect.stringMatching(/^450 4\.7\.1 Error: too much mail from 127\.0\.0\.1/),
    });
    expect(ends[3]?.record.skipped).toEqual([
      { provider: "limited", reason: expect.stringContaining("too much mail") },
    ]);
  });

  test("every message that went elsewhere arrived there once", async () => {
    const delivered = await aiosmtpd.delivered();
    const ids = delivered.map((text) => /^X-Mailover-Id: (.*)$/m.exec(text)?.[1]);
    const expected = ROWS.filter(({ relayedBy }) => relayedBy === "aiosmtpd").length + 2;
    expect(new Set(ids).size).toBe(expected);
    expect(ids).toHaveLength(expected);
  });
});
