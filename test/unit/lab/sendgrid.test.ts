import api from "@sendgrid/client";
import mailService from "@sendgrid/mail";
import { describe, expect, onTestFinished, test } from "vitest";
import { LAB_ACCOUNT, startSendGrid } from "../../../src/lab/index.ts";
import type { SendGridOptions, SendGridServer } from "../../../src/lab/index.ts";

async function sendgrid(options?: SendGridOptions): Promise<SendGridServer> {
  const server = await startSendGrid(options);
  onTestFinished(() => server.close());
  return server;
}

/** The library's one client, pointed at the server. */
function client(server: SendGridServer, key: string = LAB_ACCOUNT.sendGridKey): typeof api {
  api.setApiKey(key);
  api.setDefaultRequest("baseUrl", server.url);
  return api;
}

type Failure = { code?: number | string; response?: { body: unknown; headers: Record<string, string> } };

/** Posts a request body as it is; returns the status, the first error and the headers. */
async function post(server: SendGridServer, body: object, key?: string) {
  try {
    const [response] = await client(server, key).request({ method: "POST", url: "/v3/mail/send", body });
    return { status: response.statusCode, error: null, headers: response.headers as Record<string, string> };
  } catch (error) {
    const { code, response } = error as Failure;
    const errors = (response?.body as { errors?: { message: string; field: string | null }[] } | undefined)?.errors;
    return { status: code, error: errors?.[0] ?? null, headers: response?.headers ?? {} };
  }
}

const MAIL = {
  personalizations: [{ to: [{ email: "b@x.test" }], cc: [{ email: "c@x.test" }], bcc: [{ email: "d@x.test" }] }],
  from: { email: "a@app.test", name: "A" },
  subject: "x",
  content: [
    { type: "text/plain", value: "x" },
    { type: "text/html", value: "<p>x" },
  ],
  headers: { "Message-ID": "<1@app.test>", "X-Mailover-Id": "m1" },
  custom_args: { mailover: "m1" },
  categories: ["a"],
};

test("@sendgrid/mail hands over a message and gets its id", async () => {
  const server = await sendgrid({ clock: () => 42 });
  mailService.setClient(client(server));
  const [response] = await mailService.send({
    from: "a@app.test",
    to: ["b@x.test", "c@x.test"],
    subject: "x",
    text: "x",
    headers: { "Message-ID": "<1@app.test>", "X-Mailover-Id": "m1" },
  });
  const headers = response.headers as Record<string, string>;
  expect(response.statusCode).toBe(202);
  expect(server.accepted).toEqual([
    {
      server: "sendgrid",
      acceptedAt: 42,
      mailFrom: "a@app.test",
      rcptTo: ["b@x.test", "c@x.test"],
      messageId: "<1@app.test>",
      mailoverId: "m1",
      content: Buffer.alloc(0),
      remoteId: headers["x-message-id"],
      user: null,
      json: expect.objectContaining({ subject: "x" }),
    },
  ]);
  expect(headers["x-message-id"]).toMatch(/^[\w-]{22}$/);
});

test("an error about a field names the page that explains it", async () => {
  const answer = await post(await sendgrid(), { ...MAIL, subject: "" });
  expect(answer.error).toMatchObject({ help: expect.stringMatching(/\/errors\.html#message\.subject$/) });
});

test("to, cc and bcc are all recipients", async () => {
  const server = await sendgrid();
  expect((await post(server, MAIL)).status).toBe(202);
  expect(server.accepted[0]?.rcptTo).toEqual(["b@x.test", "c@x.test", "d@x.test"]);
});

const many = Array.from({ length: 1_001 }, (_, place) => ({ email: `r${place}@x.test` }));
const malformed: readonly [rule: string, changes: object, field: string | null, message: RegExp][] = [
  ["no from", { from: undefined }, "from.email", /^The from object must be provided/],
  ["a from that is no address", { from: { email: "a" } }, "from.email", /^Does not contain a valid address\.$/],
  ["a from beyond ASCII", { from: { email: "ä@app.test" } }, "from.email", /valid address/],
  ["no personalizations", { personalizations: [] }, "personalizations", /at least one personalization/],
  [
    "no to",
    { personalizations: [{ cc: [{ email: "b@x.test" }] }] },
    "personalizations.0.to",
    /^The to array is required/,
  ],
  [
    "a recipient that is no address",
    { personalizations: [{ to: [{ email: "b" }] }] },
    "personalizations.0.to.0.email",
    /valid address/,
  ],
  [
    "an address twice over to, cc and bcc",
    { personalizations: [{ to: [{ email: "b@x.test" }], bcc: [{ email: "B@x.test" }] }] },
    "personalizations.0",
    /^Each email address in the personalization block should be unique between to, cc, and bcc\./,
  ],
  [
    "more than 1,000 recipients",
    { personalizations: [{ to: many }] },
    "personalizations",
    /limit of 1000 total recipients/,
  ],
  ["no subject", { subject: "" }, "subject", /^The subject is required/],
  ["no content", { content: [] }, "content", /content parameter is required/],
  ["empty content", { content: [{ type: "text/plain", value: "" }] }, "content.0.value", /at least one character/],
  ["HTML before text", { content: MAIL.content.toReversed() }, "content", /order/],
  [
    "an attachment that is not base64",
    { attachments: [{ content: "?", filename: "a" }] },
    "attachments.0.content",
    /base64/,
  ],
  ["an attachment without a name", { attachments: [{ content: "YQ==" }] }, "attachments.0.filename", /filename/],
  ["a reserved header", { headers: { "Reply-To": "x" } }, "headers", /reserved/],
  ["custom_args that are too large", { custom_args: { a: "x".repeat(10_000) } }, "custom_args", /10000 bytes/],
  [
    "custom_args that are no object",
    { custom_args: "x" },
    "custom_args",
    /^Invalid type\. Expected: object, given: string\.$/,
  ],
  ["custom_args that are no strings", { custom_args: { a: 1 } }, null, /^Bad Request$/],
  ["eleven categories", { categories: Array.from({ length: 11 }, String) }, "categories", /10 categories/],
  [
    "both kinds of reply-to",
    { reply_to: { email: "a@x.test" }, reply_to_list: [{ email: "b@x.test" }] },
    "reply_to_list",
    /Only one/,
  ],
  ["a member that there is not", { replyTo: { email: "a@x.test" } }, "replyTo", /not allowed/],
];

describe("400", () => {
  for (const [rule, changes, field, message] of malformed) {
    test(`${rule}`, async () => {
      const server = await sendgrid();
      const answer = await post(server, { ...MAIL, ...changes });
      expect(answer.status).toBe(400);
      expect(answer.error).toMatchObject({ field, message: expect.stringMatching(message) });
      expect(server.accepted).toEqual([]);
    });
  }
});

describe("the account", () => {
  test("a wrong key is a 401, at scopes too", async () => {
    const server = await sendgrid();
    expect(await post(server, MAIL, "SG.wrong")).toMatchObject({
      status: 401,
      error: { message: "The provided authorization grant is invalid, expired, or revoked", field: null, help: null },
    });
    await expect(client(server, "SG.wrong").request({ method: "GET", url: "/v3/scopes" })).rejects.toMatchObject({
      code: 401,
    });
  });

  test("scopes are told; a key without mail.send is a 403", async () => {
    const server = await sendgrid({ rules: { keys: { "SG.read": ["scopes.read"] } } });
    const [, body] = await client(server, "SG.read").request({ method: "GET", url: "/v3/scopes" });
    expect(body).toEqual({ scopes: ["scopes.read"] });
    expect(await post(server, MAIL, "SG.read")).toMatchObject({ status: 403, error: { message: "access forbidden" } });
  });

  test("a From that is not verified is a 403 about from; by address or by domain it is", async () => {
    const server = await sendgrid({ rules: { verified: ["other.test"] } });
    expect(await post(server, MAIL)).toMatchObject({
      status: 403,
      error: { field: "from", message: expect.stringContaining("does not match a verified Sender Identity") },
    });
    for (const verified of [["app.test"], ["a@app.test"]]) {
      server.setRules({ verified });
      expect((await post(server, MAIL)).status).toBe(202);
    }
  });

  test("sandbox mode is a 200 without an id, and nothing is accepted", async () => {
    const server = await sendgrid();
    const answer = await post(server, { ...MAIL, mail_settings: { sandbox_mode: { enable: true } } });
    expect([answer.status, answer.headers["x-message-id"], server.accepted]).toEqual([200, undefined, []]);
  });

  test("used up credits are a 401, until the next day in UTC", async () => {
    let now = Date.UTC(2026, 0, 1, 23, 59);
    const server = await sendgrid({ clock: () => now, rules: { creditsPerDay: 3 } });
    expect((await post(server, MAIL)).status).toBe(202);
    expect(await post(server, MAIL)).toMatchObject({ status: 401, error: { message: "Maximum credits exceeded" } });
    now = Date.UTC(2026, 0, 2);
    expect((await post(server, MAIL)).status).toBe(202);
  });

  test("too many requests are a 429 that tells when the minute ends", async () => {
    const now = Date.UTC(2026, 0, 1, 0, 0, 30);
    const server = await sendgrid({ clock: () => now, rules: { requestsPerMinute: 1 } });
    expect((await post(server, MAIL)).headers).toMatchObject({
      "x-ratelimit-limit": "1",
      "x-ratelimit-remaining": "0",
    });
    expect(await post(server, MAIL)).toMatchObject({
      status: 429,
      error: { message: "too many requests" },
      headers: { "x-ratelimit-reset": String(now / 1_000 + 30) },
    });
  });
});

test("a body beyond 30 MB is nginx's 413, in HTML", async () => {
  const server = await sendgrid();
  const response = await fetch(`${server.url}/v3/mail/send`, {
    method: "POST",
    headers: { authorization: `Bearer ${LAB_ACCOUNT.sendGridKey}`, "content-type": "application/json" },
    body: Buffer.alloc(31_457_281, "x"),
  });
  expect([response.status, response.headers.get("content-type")]).toEqual([413, "text/html"]);
  expect(await response.text()).toContain("<center>nginx</center>");
});

const elsewhere: readonly [rule: string, path: string, init: RequestInit, status: number][] = [
  ["another path is a 404", "/v3/other", {}, 404],
  ["another method is a 405", "/v3/mail/send", {}, 405],
  ["another type is a 415", "/v3/mail/send", { method: "POST", body: "x" }, 415],
];
for (const [rule, path, init, status] of elsewhere) {
  test(`${rule}`, async () => {
    const server = await sendgrid();
    const headers = { authorization: `Bearer ${LAB_ACCOUNT.sendGridKey}` };
    expect((await fetch(`${server.url}${path}`, { ...init, headers })).status).toBe(status);
  });
}

describe("faults", () => {
  test("accepted: the message is taken although the answer never comes", async () => {
    const server = await sendgrid();
    await server.setFault({ kind: "drop", accepted: true });
    expect((await post(server, MAIL)).status).toBe("ECONNRESET");
    expect(server.accepted).toHaveLength(1);
    await server.setFault({ kind: "drop" });
    expect((await post(server, MAIL)).status).toBe("ECONNRESET");
    expect(server.accepted).toHaveLength(1);
  });

  test("a gateway's answer in HTML, for sending alone", async () => {
    const server = await sendgrid();
    await server.setFault({ kind: "response", status: 502, body: "<html>Bad Gateway</html>", path: "/mail/send" });
    await expect(client(server).request({ method: "POST", url: "/v3/mail/send", body: MAIL })).rejects.toMatchObject({
      code: 502,
      response: { body: "<html>Bad Gateway</html>" },
    });
    expect((await client(server).request({ method: "GET", url: "/v3/scopes" }))[0].statusCode).toBe(200);
  });

  test("refuse: ECONNREFUSED", async () => {
    const server = await sendgrid();
    await server.setFault({ kind: "refuse" });
    expect((await post(server, MAIL)).status).toBe("ECONNREFUSED");
  });

  test("the transcript has no key and no content", async () => {
    const server = await sendgrid();
    await post(server, MAIL);
    expect(server.transcript.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^POST \/v3\/mail\/send <\d+ bytes>$/),
      "202",
    ]);
  });
});
