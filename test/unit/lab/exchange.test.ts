import { connect as connectTls } from "node:tls";
import { createTransport } from "nodemailer";
import type { Transporter } from "nodemailer";
import { describe, expect, onTestFinished, test } from "vitest";
import { createAuthority, LAB_ACCOUNT, startEntra, startExchange } from "../../../src/lab/index.ts";
import type { EntraServer, ExchangeRules, ExchangeServer } from "../../../src/lab/index.ts";
import { accessToken } from "./msal.ts";
import { RawSmtp } from "./raw-smtp.ts";

type Office = { readonly entra: EntraServer; readonly exchange: ExchangeServer; readonly token: string };

async function office(rules: Partial<ExchangeRules> = {}, clock: () => number = Date.now): Promise<Office> {
  const authority = await createAuthority();
  const entra = await startEntra({ authority });
  const exchange = await startExchange({ entra, authority, rules, clock });
  onTestFinished(async () => {
    await exchange.close();
    await entra.close();
  });
  return { entra, exchange, token: await accessToken(entra) };
}

function transport({ exchange, token }: Office, user: string = LAB_ACCOUNT.mailbox): Transporter {
  const transporter = createTransport({
    host: "localhost",
    port: exchange.port,
    requireTLS: true,
    tls: { ca: exchange.ca ?? "" },
    auth: { type: "OAuth2", user, accessToken: token },
  });
  onTestFinished(() => transporter.close());
  return transporter;
}

const MAIL = { from: LAB_ACCOUNT.mailbox, to: "b@x.test", subject: "x", text: "x", messageId: "<1@app.test>" };

async function replyTo(place: Office, mail: object = {}, user?: string): Promise<string> {
  try {
    const info: { readonly response?: string | undefined } = await transport(place, user).sendMail({
      ...MAIL,
      ...mail,
    });
    return info.response ?? "";
  } catch (error) {
    return (error as { response?: string }).response ?? String(error);
  }
}

/** A connection past STARTTLS and EHLO. */
async function secured({ exchange }: Office): Promise<RawSmtp> {
  const plain = RawSmtp.open(exchange.port);
  await plain.reply();
  await plain.ask("EHLO client.test");
  await plain.ask("STARTTLS");
  plain.socket.removeAllListeners("data");
  plain.socket.setEncoding("binary");
  const client = new RawSmtp(connectTls({ socket: plain.socket, ca: exchange.ca ?? "", servername: "localhost" }));
  onTestFinished(() => client.close());
  await client.ask("EHLO client.test");
  return client;
}

/** Signs in on a connection past STARTTLS. */
function signIn(client: RawSmtp, token: string, user: string = LAB_ACCOUNT.mailbox): Promise<string | null> {
  return client.ask(
    `AUTH XOAUTH2 ${Buffer.from(`user=${user}\u0001auth=Bearer ${token}\u0001\u0001`).toString("base64")}`,
  );
}

async function submit(client: RawSmtp): Promise<string | null> {
  await client.ask(`MAIL FROM:<${LAB_ACCOUNT.mailbox}>`);
  await client.ask("RCPT TO:<b@x.test>");
  await client.ask("DATA");
  return client.ask(`From: ${LAB_ACCOUNT.mailbox}\r\n\r\nx\r\n.`);
}

test("takes a message by XOAUTH2 with a token of the lab's Entra ID", async () => {
  const place = await office();
  expect(await replyTo(place)).toMatch(/^250 2\.0\.0 OK <1@app\.test> \[Hostname=\S+\.prod\.outlook\.com\]$/);
  expect(place.exchange.accepted[0]).toMatchObject({
    server: "exchange",
    user: LAB_ACCOUNT.mailbox,
    remoteId: "<1@app.test>",
    messageId: "<1@app.test>",
  });
});

describe("sign-in", () => {
  test("AUTH is offered after STARTTLS only, and never PLAIN", async () => {
    const place = await office();
    const plain = RawSmtp.open(place.exchange.port);
    onTestFinished(() => plain.close());
    expect(await plain.reply()).toMatch(/^220 \S+\.outlook\.office365\.com Microsoft ESMTP MAIL Service ready at /);
    const before = await plain.ask("EHLO client.test");
    expect(before).toContain("250-SIZE 157286400");
    expect(before).toContain("STARTTLS");
    expect(before).not.toContain("AUTH");
    expect(await plain.ask("AUTH LOGIN")).toMatch(/^504 5\.7\.4/);
    expect(await plain.ask("MAIL FROM:<a@x.test>")).toMatch(/^451 5\.7\.3 STARTTLS is required/);
    const client = await secured(place);
    const after = await client.ask("EHLO client.test");
    expect(after).toContain("AUTH LOGIN XOAUTH2");
    expect(after).not.toContain("STARTTLS");
    expect(await client.ask("AUTH PLAIN AGEAYg==")).toMatch(/^504 5\.7\.4/);
    expect(await client.ask("MAIL FROM:<a@x.test>")).toMatch(/^530 5\.7\.57/);
  });

  const rules: readonly [rule: string, rules: Partial<ExchangeRules>, reply: RegExp][] = [
    [
      "SMTP AUTH off for the tenant",
      { smtpAuthDisabledForTenant: true },
      /^535 5\.7\.139 .*disabled for the Tenant\. .*aka\.ms/,
    ],
    [
      "SMTP AUTH off for the mailbox",
      { smtpAuthDisabledFor: [LAB_ACCOUNT.mailbox] },
      /^535 5\.7\.139 .*for the Mailbox/,
    ],
    ["no licence", { unlicensed: [LAB_ACCOUNT.mailbox] }, /^535 5\.7\.3 Authentication unsuccessful \[\S+ \S+Z \S+\]$/],
    ["no permission on the mailbox", { forbidden: [LAB_ACCOUNT.mailbox] }, /^535 5\.7\.3 /],
    ["no such mailbox", { mailboxes: ["other@contoso.com"] }, /^535 5\.7\.3 /],
  ];
  for (const [rule, changes, wanted] of rules) {
    test(`${rule}, switched while it runs`, async () => {
      const place = await office();
      expect(await replyTo(place)).toMatch(/^250 /);
      place.exchange.setRules(changes);
      expect(await replyTo(place)).toMatch(wanted);
    });
  }

  test("a token that is made up, revoked or without the role does not sign in", async () => {
    const place = await office();
    expect(await signIn(await secured(place), "x")).toMatch(/^535 5\.7\.3 /);
    place.entra.revokeTokens();
    expect(await signIn(await secured(place), place.token)).toMatch(/^535 5\.7\.3 /);
    place.entra.setRules({
      apps: [{ clientId: LAB_ACCOUNT.clientId, secrets: [{ value: LAB_ACCOUNT.clientSecret }], roles: [] }],
    });
    expect(await signIn(await secured(place), await accessToken(place.entra))).toMatch(/^535 5\.7\.3 /);
  });

  test("a password is refused, by the text of the day", async () => {
    const place = await office();
    const login = async (): Promise<string | null> => {
      const client = await secured(place);
      await client.ask(`AUTH LOGIN ${Buffer.from(LAB_ACCOUNT.mailbox).toString("base64")}`);
      return client.ask(Buffer.from("password").toString("base64"));
    };
    expect(await login()).toMatch(/^535 5\.7\.139 .*basic authentication is disabled/);
    place.exchange.setRules({ basicAuth: "retired" });
    expect(await login()).toMatch(/^550 5\.7\.30 /);
  });
});

describe("after the final dot", () => {
  test("a From that is not the mailbox is denied, one it may send as is not", async () => {
    const place = await office({ sendAs: { [LAB_ACCOUNT.mailbox]: ["shop@contoso.com"] } });
    expect(await replyTo(place, { from: "Shop <SHOP@contoso.com>" })).toMatch(/^250 /);
    expect(await replyTo(place, { from: "boss@contoso.com" })).toMatch(
      /^554 5\.2\.252 SendAsDenied; noreply@contoso\.com not allowed to send as boss@contoso\.com; STOREDRV\.Submission\.Exception:SendAsDenied/,
    );
    expect(place.exchange.accepted).toHaveLength(1);
  });

  test("repeated denials block the mailbox", async () => {
    const place = await office({ blockedAfterRefusals: 2 });
    const denied = { from: "boss@contoso.com" };
    expect(await replyTo(place, denied)).toMatch(/^554 5\.2\.252/);
    expect(await replyTo(place, denied)).toMatch(/^554 5\.2\.252/);
    expect(await replyTo(place, denied)).toMatch(/^550 5\.2\.252 Sender throttled due to continuous send as denied/);
  });

  test("a full mailbox", async () => {
    const place = await office({ full: [LAB_ACCOUNT.mailbox] });
    expect(await replyTo(place)).toMatch(/^554 5\.2\.2 mailbox full; .*MapiExceptionShutoffQuotaExceeded/);
  });

  test("a message that is too large, although EHLO says 150 MB", async () => {
    const place = await office({ maxMessageBytes: 1_000 });
    expect(await replyTo(place, { text: "x".repeat(2_000) })).toMatch(/^552 5\.3\.4 /);
  });

  test("the quota of recipients a day, which comes back after it", async () => {
    let now = Date.now();
    const place = await office({ recipientsPerDay: 3 }, () => now);
    expect(await replyTo(place, { to: ["a@x.test", "b@x.test"] })).toMatch(/^250 /);
    expect(await replyTo(place, { to: ["a@x.test", "b@x.test"] })).toMatch(/^554 5\.2\.0 .*SubmissionQuotaExceeded/);
    now += 86_400_000;
    expect(await replyTo(place, { to: ["a@x.test", "b@x.test"] })).toMatch(/^250 /);
  });

  test("the fourth connection of a mailbox is refused there, until another ends", async () => {
    const place = await office();
    const clients: RawSmtp[] = [];
    for (let opened = 0; opened < 4; opened += 1) {
      const client = await secured(place);
      expect(await signIn(client, place.token)).toMatch(/^235 2\.7\.0 /);
      clients.push(client);
    }
    const [first, , , fourth] = clients;
    expect(await submit(first!)).toMatch(/^250 /);
    expect(await submit(fourth!)).toMatch(/^432 4\.3\.2 Concurrent connections limit exceeded\. Visit https:/);
    first!.close();
    while (place.exchange.connections > 3) await new Promise(setImmediate);
    await fourth!.ask("RSET");
    expect(await submit(fourth!)).toMatch(/^250 /);
  });

  test("the thirty-first message of a minute: accepted, and answered in the minute it belongs to", async () => {
    const start = Date.now();
    let now = start;
    const place = await office({}, () => now);
    const client = await secured(place);
    await signIn(client, place.token);
    for (let sent = 0; sent < 30; sent += 1) expect(await submit(client)).toMatch(/^250 /);
    // 100 ms before the first of them is a minute old.
    now = start + 59_900;
    const startedAt = performance.now();
    expect(await submit(client)).toMatch(/^250 /);
    expect(performance.now() - startedAt).toBeGreaterThan(95);
    expect(place.exchange.accepted).toHaveLength(31);
  });

  test("or refused, or without any limit", async () => {
    const place = await office({ overRate: "432", messagesPerMinute: 1 });
    const client = await secured(place);
    await signIn(client, place.token);
    expect(await submit(client)).toMatch(/^250 /);
    expect(await submit(client)).toMatch(/^432 4\.3\.2 STOREDRV\.ClientSubmit/);
    place.exchange.setRules({ overRate: "off" });
    expect(await submit(client)).toMatch(/^250 /);
    place.exchange.setRules({ overRate: "432" });
    place.exchange.clear();
    expect(await submit(client)).toMatch(/^250 /);
  });
});

test("an unknown recipient, and one too many", async () => {
  const place = await office({ recipientsPerMessage: 1 });
  const client = await secured(place);
  await signIn(client, place.token);
  await client.ask(`MAIL FROM:<${LAB_ACCOUNT.mailbox}>`);
  expect(await client.ask("RCPT TO:<unknown@x.test>")).toMatch(/^550 5\.1\.10 RESOLVER\.ADR\.RecipientNotFound/);
  expect(await client.ask("RCPT TO:<a@x.test>")).toMatch(/^250 /);
  expect(await client.ask("RCPT TO:<b@x.test>")).toMatch(/^452 4\.5\.3 /);
});
