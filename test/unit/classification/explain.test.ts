import { describe, expect, test } from "vitest";
import { providerDefinitions } from "../../../providers/index.ts";
import { STAGES } from "../../../src/core/index.ts";
import { explain, formatDuration, formatExplanation } from "../../../src/operations/explain.ts";

type Want = { kind: string; stage: string; rule: string | null; cause: string };

const EXCHANGE = "[TYAPR01CA0229.jpnprd01.prod.outlook.com 2026-08-28T04:11:52.318Z 08DDE5F1A2B3C4D5]";

const inputs: readonly [name: string, input: string, want: Want][] = [
  [
    "a reply of Exchange, with its suffix",
    `535 5.7.139 Authentication unsuccessful, account locked. Contact your administrator. ${EXCHANGE}`,
    { kind: "microsoft365", stage: "auth", rule: "account-locked", cause: "auth" },
  ],
  [
    "a reply inside a reply",
    `530 5.7.57 Client not authenticated to send mail. Error: 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. ${EXCHANGE}`,
    { kind: "microsoft365", stage: "auth", rule: "smtp-auth-disabled-tenant", cause: "auth" },
  ],
  [
    "lines with the line ends written out",
    String.raw`550-5.1.1 The email account that you tried to reach is not here.\r\n550 5.1.1 Please try again - gsmtp`,
    { kind: "smtp", stage: "rcpt", rule: "recipient-address-refused", cause: "recipient" },
  ],
  [
    "lines with real line ends",
    "421-gmx.net Nemesis ESMTP Service not available\r\n421 Rate limit reached. Please try again later",
    { kind: "smtp", stage: "reply", rule: "gmx-rate", cause: "throttled" },
  ],
  [
    "the diagnostic of a bounce",
    "Diagnostic-Code: smtp; 550 5.1.1 <user@example.net>: Recipient address rejected: User unknown in local recipient table",
    { kind: "smtp", stage: "rcpt", rule: "recipient-unknown", cause: "recipient" },
  ],
  [
    "a line of Postfix's log, which names the command",
    "Nov 24 03:00:00 mail postfix/smtp[7962]: 98DB419F6B8: to=<u@example.net>, relay=mx.example.net[192.0.2.13]:25, dsn=5.0.0, status=bounced (host mx.example.net[192.0.2.13] said: 554 Transaction failed (in reply to end of DATA command))",
    { kind: "smtp", stage: "reply", rule: "content-refused", cause: "content" },
  ],
  [
    "nodemailer's message at login",
    "Error: Invalid login: 535 5.7.3 Authentication unsuccessful",
    { kind: "microsoft365", stage: "auth", rule: "token-not-accepted", cause: "auth" },
  ],
  [
    "nodemailer's message at MAIL FROM",
    "Mail command failed: 550 This domain is not associated with your account",
    { kind: "smtp", stage: "mail", rule: "domain-not-associated", cause: "sender" },
  ],
  [
    "nodemailer's message at RCPT TO",
    "Can't send mail - all recipients were rejected: 550 Requested action not taken",
    { kind: "smtp", stage: "rcpt", rule: "no-such-recipient", cause: "recipient" },
  ],
  [
    "nodemailer's message after the content",
    "Message failed: 554 5.2.252 SendAsDenied; a@example.com not allowed to send as b@example.com",
    { kind: "microsoft365", stage: "reply", rule: "send-as-denied-exchange", cause: "sender" },
  ],
  [
    "nodemailer's error as JSON",
    JSON.stringify({ code: "EENVELOPE", command: "RCPT TO", response: "450 4.2.0 Greylisted", responseCode: 450 }),
    { kind: "smtp", stage: "rcpt", rule: "greylisted", cause: "busy" },
  ],
  [
    "nodemailer's error of a connection, whose code hides the system's",
    JSON.stringify({ code: "ESOCKET", originalCode: "ECONNREFUSED", command: "CONN", message: "connect ECONNREFUSED" }),
    { kind: "smtp", stage: "connect", rule: "connection-refused", cause: "outage" },
  ],
  [
    "the command DATA is the answer to the content where the code is EMESSAGE",
    JSON.stringify({ code: "EMESSAGE", command: "DATA", response: "554 5.2.2 mailbox full", responseCode: 554 }),
    { kind: "microsoft365", stage: "reply", rule: "own-mailbox-full", cause: "quota" },
  ],
  [
    "SendGrid's body alone",
    JSON.stringify({ errors: [{ message: "Maximum credits exceeded", field: null, help: null }] }),
    { kind: "sendgrid", stage: "http", rule: "credits-used-up", cause: "quota" },
  ],
  [
    "the error of SendGrid's library",
    JSON.stringify({ code: 403, response: { headers: {}, body: { errors: [{ message: "access forbidden" }] } } }),
    { kind: "sendgrid", stage: "http", rule: "scope-missing", cause: "auth" },
  ],
  [
    "the error of axios, with a page for a body",
    JSON.stringify({ code: "ERR_BAD_RESPONSE", message: "Request failed", response: { status: 502, data: "<html>" } }),
    { kind: "sendgrid", stage: "http", rule: "service-failed", cause: "outage" },
  ],
  [
    "Entra ID's body",
    JSON.stringify({ error: "invalid_client", error_description: "AADSTS7000222: expired", error_codes: [7000222] }),
    { kind: "microsoft365", stage: "token", rule: "entra-secret-expired", cause: "auth" },
  ],
  [
    "MSAL's error, its number as text",
    JSON.stringify({ name: "ServerError", errorCode: "invalid_client", errorMessage: "x", errorNo: "7000215" }),
    { kind: "microsoft365", stage: "token", rule: "entra-secret-invalid", cause: "auth" },
  ],
  [
    "MSAL's message",
    "network_error: Network request failed: fetch failed",
    { kind: "microsoft365", stage: "token", rule: "msal-network-error", cause: "outage" },
  ],
  [
    "an attempt of the ledger",
    JSON.stringify({ number: 1, provider: "sendgrid", stage: "http", reply: "HTTP 429: too many requests" }),
    { kind: "sendgrid", stage: "http", rule: "too-many-requests", cause: "throttled" },
  ],
  [
    "a number of Entra ID",
    "AADSTS7000222",
    { kind: "microsoft365", stage: "token", rule: "entra-secret-expired", cause: "auth" },
  ],
  ["a code of Node", "ECONNREFUSED", { kind: "smtp", stage: "connect", rule: "connection-refused", cause: "outage" }],
  [
    "a message of Node",
    "Error: getaddrinfo ENOTFOUND smtp.example.test",
    { kind: "smtp", stage: "dns", rule: "dns-name-not-found", cause: "outage" },
  ],
  [
    "a code of TLS",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    { kind: "smtp", stage: "tls", rule: "tls-certificate-untrusted", cause: "outage" },
  ],
  ["an enhanced code", "5.7.139", { kind: "microsoft365", stage: "reply", rule: "login-blocked", cause: "auth" }],
  [
    "an enhanced code of a recipient",
    "5.1.1",
    { kind: "smtp", stage: "rcpt", rule: "recipient-address-refused", cause: "recipient" },
  ],
  [
    "the message of SendGrid's library",
    "Error: Unauthorized (401)\n  Maximum credits exceeded",
    { kind: "sendgrid", stage: "http", rule: "credits-used-up", cause: "quota" },
  ],
  [
    "the message of axios",
    "Request failed with status code 503",
    { kind: "sendgrid", stage: "http", rule: "service-failed", cause: "outage" },
  ],
  [
    "a message whose code was lost",
    "Error: unable to verify the first certificate",
    { kind: "smtp", stage: "tls", rule: "tls-certificate-untrusted", cause: "outage" },
  ],
  [
    "a time-out of nodemailer",
    "Greeting never received",
    { kind: "smtp", stage: "connect", rule: "timed-out", cause: "outage" },
  ],
  ["words that nobody knows", "the printer is on fire", { kind: "smtp", stage: "connect", rule: null, cause: "busy" }],
  ["broken JSON", '{"errors": [', { kind: "smtp", stage: "connect", rule: null, cause: "busy" }],
];

describe("explain reads", () => {
  test.each(inputs)("%s", (_, input, want) => {
    const { kind, stage, rule, failure } = explain(input, providerDefinitions);
    expect({ kind, stage, rule: rule?.id ?? null, cause: failure.cause }).toEqual(want);
  });
});

describe("explain takes for granted", () => {
  test("only what is neither given nor named", () => {
    const assumed = (input: string, stage?: "mail") => explain(input, providerDefinitions, { stage }).assumedStage;
    expect(assumed("550 5.0.0 Refused")).toBe(true);
    expect(assumed("550 5.0.0 Refused", "mail")).toBe(false);
    expect(assumed("Mail command failed: 550 5.0.0 Refused")).toBe(false);
    expect(assumed("AADSTS7000222")).toBe(false);
  });

  test("a given stage before a named one", () => {
    const { failure } = explain("Message failed: 550 5.0.0 Refused", providerDefinitions, { stage: "mail" });
    expect(failure).toMatchObject({ cause: "sender", stage: "mail" });
  });

  test("the given kind, whatever the others know", () => {
    const reply = "535 5.7.139 Authentication unsuccessful, account locked.";
    expect(explain(reply, providerDefinitions, { kind: "smtp" })).toMatchObject({
      kind: "smtp",
      rule: { id: "auth-refused" },
    });
    expect(() => explain(reply, providerDefinitions, { kind: "pigeon" })).toThrow(/pigeon.*microsoft365/);
  });

  test("a code that a provider and everybody gives is everybody's where words say so", () => {
    const { kind } = explain("450 4.7.1 Error: too much mail from 192.0.2.1", providerDefinitions, { stage: "mail" });
    expect(kind).toBe("smtp");
  });
});

describe("an explanation in words", () => {
  const words = (input: string) => formatExplanation(explain(input, providerDefinitions));

  test("says what it means, what follows and what to type", () => {
    const text = words(
      "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.",
    );
    expect(text).toContain("SMTP AUTH is switched off for this mailbox");
    expect(text).toContain("Set-CASMailbox -Identity {mailbox} -SmtpClientAuthenticationDisabled $false");
    expect(text).toContain("it never bounces for this");
    expect(text).toContain("microsoft365/smtp-auth-disabled-mailbox");
    expect(text).toContain("auth (assumed; give --stage if it was another)");
  });

  test("says how long to wait, and whether another provider helps", () => {
    expect(words("550 5.2.252 Sender throttled due to continuous send as denied errors.")).toMatch(/Wait +6 h/);
    expect(words("Message failed: 554 Transaction failed")).toMatch(/Elsewhere +worth another provider/);
  });

  test("says so where no rule knows it, and leaves out what there is not", () => {
    const text = words("the printer is on fire");
    expect(text).toContain("no rule knows this");
    expect(text).toMatch(/Rule +none of smtp/);
    expect(text).not.toMatch(/To mend it|Wait|Source|null|undefined/);
  });

  test("says that a lost answer to the content is uncertain", () => {
    const { failure } = explain("ECONNRESET", providerDefinitions, { stage: "reply" });
    expect(failure.cause).toBe("uncertain");
    expect(formatExplanation(explain("ECONNRESET", providerDefinitions, { stage: "reply" }))).toContain(
      "no answer came after the content went out",
    );
  });
});

test("an error of axios is read without the key in its request", () => {
  const secret = "SG.secret-of-a-test";
  const error = { config: { headers: { Authorization: `Bearer ${secret}` } }, request: { secret }, name: "AxiosError" };
  expect(JSON.stringify(explain(JSON.stringify(error), providerDefinitions).failure)).not.toContain(secret);
});

test("no input makes it throw", () => {
  const odd = ["", " ", "{}", "[]", "{", '{"response":{}}', '{"errors":[null,1]}', '{"code":{}}', "5", "550", "\\r\\n"];
  const cases = odd.flatMap((input) => STAGES.map((stage) => ({ input, stage })));
  for (const { input, stage } of cases) {
    expect(formatExplanation(explain(input, providerDefinitions, { stage }))).toContain(`  Stage       ${stage}`);
  }
});

test.each([
  [500, "1 s"],
  [10_000, "10 s"],
  [60_000, "1 min"],
  [900_000, "15 min"],
  [21_600_000, "6 h"],
])("%d ms are %s", (durationMs, want) => {
  expect(formatDuration(durationMs)).toBe(want);
});
