import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { MailBody } from "../../../../providers/sendgrid/mapping.ts";
import { apiKey, apiThat, nowMs, providerAt, send } from "./harness.ts";
import { box, file, messageWith, rawMessage } from "./messages.ts";
import { accepted } from "./scripted-api.ts";

describe("a message that SendGrid takes", () => {
  test("is relayed, with the id SendGrid gave it", async () => {
    const api = await apiThat([accepted]);
    const { outcome } = await send(providerAt(api.url), messageWith());
    expect(outcome).toEqual({ kind: "relayed", remoteId: "sg-1", reply: "HTTP 202", refused: [] });
    expect(api.requests).toMatchObject([
      {
        method: "POST",
        path: "/v3/mail/send",
        headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
      },
    ]);
    expect(JSON.stringify(outcome)).not.toContain(apiKey);
  });

  test("says how long SendGrid rests where it used the rate up", async () => {
    const rate = (remaining: string) => ({
      "x-ratelimit-remaining": remaining,
      "x-ratelimit-reset": `${nowMs / 1000 + 40}`,
    });
    const api = await apiThat([
      { ...accepted, headers: { ...accepted.headers, ...rate("1") } },
      { ...accepted, headers: { ...accepted.headers, ...rate("0") } },
    ]);
    const provider = providerAt(api.url);
    expect((await send(provider, messageWith())).outcome).not.toHaveProperty("restMs");
    expect((await send(provider, messageWith())).outcome).toMatchObject({ kind: "relayed", restMs: 40_000 });
  });

  test("is relayed even where the connection breaks after the status", async () => {
    const api = await apiThat([{ cut: accepted }]);
    expect((await send(providerAt(api.url), messageWith())).outcome).toMatchObject({
      kind: "relayed",
      remoteId: "sg-1",
    });
  });

  test("is relayed where a proxy made 200 of the status but left SendGrid's id", async () => {
    const api = await apiThat([{ ...accepted, status: 200 }]);
    expect((await send(providerAt(api.url), messageWith())).outcome).toMatchObject({
      kind: "relayed",
      remoteId: "sg-1",
    });
  });

  test("in the sandbox has no id", async () => {
    const api = await apiThat([{ status: 200 }]);
    const { outcome } = await send(providerAt(api.url, { sandbox: true }), messageWith());
    expect(outcome).toMatchObject({ kind: "relayed", remoteId: null, reply: "HTTP 200 (sandbox: nothing is sent)" });
    expect(api.requests[0]?.json).toMatchObject({ mail_settings: { sandbox_mode: { enable: true } } });
  });

  test("goes only to the recipients of this attempt", async () => {
    const api = await apiThat([accepted]);
    const message = messageWith({
      to: [box("ada@example.com"), box("bob@example.com")],
      bcc: [box("cid@example.com")],
    });
    await send(providerAt(api.url), message, { recipients: ["bob@example.com", "cid@example.com"] });
    expect(api.requests[0]?.json).toMatchObject({
      personalizations: [{ to: [{ email: "bob@example.com" }], bcc: [{ email: "cid@example.com" }] }],
    });
    expect(api.requests[0]?.text).not.toContain("ada@example.com");
  });

  test("arrives with its Japanese words and 10 MB whole", async () => {
    const api = await apiThat([accepted]);
    const content = randomBytes(10_000_000);
    const message = messageWith({
      to: [box("taro@example.jp", "山田太郎")],
      subject: "請求書のご案内",
      text: "いつもお世話になっております。",
      attachments: [file("請求書.pdf", content, { contentType: "application/pdf" })],
    });
    const { outcome } = await send(providerAt(api.url), message);
    expect(outcome.kind).toBe("relayed");
    const body = api.requests[0]?.json as MailBody;
    expect(body).toMatchObject({
      personalizations: [{ to: [{ name: "山田太郎" }] }],
      subject: "請求書のご案内",
      content: [{ value: "いつもお世話になっております。" }],
      attachments: [{ filename: "請求書.pdf", type: "application/pdf" }],
    });
    expect(Buffer.from(body.attachments?.[0]?.content ?? "", "base64").equals(content)).toBe(true);
  });

  test("may have a host with a path of its own", async () => {
    const api = await apiThat([accepted]);
    await send(providerAt(`${api.url}/sendgrid/`), messageWith());
    expect(api.requests[0]?.path).toBe("/sendgrid/v3/mail/send");
  });
});

describe("raw MIME", () => {
  const mime = `
From: Contoso <noreply@contoso.com>
To: Ada <ada@example.com>
Subject: Hello
Received: from device by gateway
X-Device: scanner-7
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe
`;

  test("that holds what the API can say is sent", async () => {
    const api = await apiThat([accepted]);
    const provider = providerAt(api.url);
    const message = rawMessage(mime);
    expect(provider.declines(message)).toBeNull();
    expect((await send(provider, message)).outcome.kind).toBe("relayed");
    const body = api.requests[0]?.json as MailBody;
    expect(body.content[0]?.value.trim()).toBe("Grüße");
    expect(body.headers).toEqual({
      "X-Device": "scanner-7",
      "Message-ID": message.messageId,
      "X-Mailover-Id": message.id,
    });
  });

  test("that does not is declined, and sent by nobody's mistake", async () => {
    const api = await apiThat([accepted]);
    const provider = providerAt(api.url);
    const message = rawMessage(mime.replace("text/plain; charset=utf-8", "application/pkcs7-mime"));
    expect(provider.declines(message)).toEqual({
      cause: "content",
      reason: expect.stringContaining("cannot carry this MIME message unchanged"),
    });
    expect((await send(provider, message)).outcome).toMatchObject({
      kind: "rejected",
      failure: { cause: "content", scope: "message", elsewhere: true },
    });
    expect(api.requests).toHaveLength(0);
  });
});

test("says what it can", () => {
  const provider = providerAt("http://127.0.0.1:1");
  expect(provider.capabilities).toEqual({
    maxMessageBytes: 28_000_000,
    maxRecipients: 1_000,
    maxConnections: 20,
    raw: true,
  });
  expect(provider.declines(messageWith({ from: box("情報@contoso.com") }))).toEqual({
    cause: "sender",
    reason: expect.stringContaining("beyond ASCII"),
  });
  expect(provider.declines(messageWith())).toBeNull();
});
