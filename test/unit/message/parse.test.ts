import { describe, expect, test } from "vitest";

import { defaultLimits, parseSubmission } from "../../../src/message/index.ts";
import { accept, minimal, refusal } from "./fixture.ts";

const calendar = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n";
const rawText = "From: Scanner <scanner@contoso.com>\r\nSubject: Scan\r\n\r\nhello\r\n";
const withAttachment = (attachment: unknown) => ({ ...minimal, attachments: [attachment] });

const good: readonly [rule: string, data: object][] = [
  ["the least there is", minimal],
  ["html alone", { from: "a@x.jp", to: "b@x.jp", html: "<p>" }],
  ["an empty text", { ...minimal, text: "" }],
  ["an attachment alone", { from: "a@x.jp", to: "b@x.jp", attachments: [{ content: "" }] }],
  ["an invitation alone", { from: "a@x.jp", to: "b@x.jp", icalEvent: calendar }],
  ["cc alone", { from: "a@x.jp", cc: "b@x.jp", text: "" }],
  ["bcc alone", { from: "a@x.jp", bcc: "b@x.jp", text: "" }],
  ["recipients in the envelope alone", { from: "a@x.jp", envelope: { to: "b@x.jp" }, text: "" }],
  ["null as not given", { ...minimal, cc: null, html: null, metadata: null }],
  ["undefined as not given", { ...minimal, raw: undefined }],
  ["an empty list of recipients beside others", { ...minimal, cc: [], bcc: "" }],
  ["from in a list of one", { ...minimal, from: [{ address: "a@x.jp" }] }],
  ["a header as a number", { ...minimal, headers: { "X-Priority": 1 } }],
  ["headers as a list", { ...minimal, headers: [{ key: "X-A", value: "1" }] }],
  ["a Buffer in JSON", withAttachment({ content: { type: "Buffer", data: [0, 255] } })],
  ["a raw message", { raw: rawText, envelope: { to: "b@x.jp" } }],
  ["a raw message in base64", { raw: { content: btoa(rawText), encoding: "base64" }, envelope: { to: "b@x.jp" } }],
  ["a raw message as a Buffer in JSON", { raw: Buffer.from(rawText).toJSON(), envelope: { to: ["b@x.jp"] } }],
  ["an instant with a zone", { ...minimal, sendAt: "2026-12-01T09:00:00+09:00" }],
  ["an instant with milliseconds in UTC", { ...minimal, sendAt: "2026-12-01T00:00:00.000Z" }],
  ["an instant in milliseconds", { ...minimal, sendAt: 1_796_083_200_000 }],
  ["ten tags", { ...minimal, tags: Array.from({ length: 10 }, (_, index) => `${index}`.repeat(100)) }],
  ["metadata of any JSON", { ...minimal, metadata: { a: [1, null, { b: "c" }] } }],
  ["providers in order", { ...minimal, providers: ["sendgrid", "relay"] }],
];

describe("parseSubmission takes", () => {
  test.each(good)("%s", (_, data) => {
    expect(refusal(data)).toBeNull();
  });
});

const bad: readonly [rule: string, data: unknown, want: string][] = [
  ["no object", "hello", "message: is not an object"],
  ["a list", [minimal], "message: is not an object"],
  ["null", null, "message: is not an object"],
  [
    "nothing in it",
    {},
    "from: is missing; message: needs at least one of text, html, icalEvent, attachments or raw; message: needs at least one recipient in to, cc or bcc",
  ],
  ["no author", { to: "b@x.jp", text: "" }, "from: is missing"],
  ["an empty author", { ...minimal, from: "" }, "from: is missing"],
  ["two authors", { ...minimal, from: "a@x.jp, b@x.jp" }, "from: names 2 mailboxes: one is needed"],
  ["a bad author", { ...minimal, from: "bob@" }, 'from: "bob@" is not a mail address'],
  ["no recipient", { from: "a@x.jp", text: "" }, "message: needs at least one recipient in to, cc or bcc"],
  ["a bad recipient in a list", { ...minimal, to: ["bob@"] }, 'to[0]: "bob@" is not a mail address'],
  ["a bad recipient in a string", { ...minimal, cc: "a@x.jp, bob@" }, 'cc: "bob@" is not a mail address'],
  [
    "a bad address in an object",
    { ...minimal, bcc: [{ address: "bob@" }] },
    'bcc[0].address: "bob@" is not a mail address',
  ],
  [
    "a line break in a name",
    { ...minimal, to: { name: "B\nBcc: eve@x.jp", address: "b@x.jp" } },
    String.raw`to.name: "B\nBcc: eve@x.jp" has a line break`,
  ],
  [
    "a group",
    { ...minimal, to: "staff: a@x.jp;" },
    'to: "staff: a@x.jp;" has a colon or semicolon: groups are not taken',
  ],
  ["a number as a recipient", { ...minimal, to: 5 }, "to: is not a string, an object or a list"],
  [
    "an unknown field of a mailbox",
    { ...minimal, to: { address: "b@x.jp", mail: "b@x.jp" } },
    "to.mail: is not a known field",
  ],
  ["a bad reply address", { ...minimal, replyTo: "bob" }, 'replyTo: "bob" is not a mail address'],
  [
    "no content",
    { from: "a@x.jp", to: "b@x.jp", subject: "x" },
    "message: needs at least one of text, html, icalEvent, attachments or raw",
  ],
  [
    "no content but an empty list",
    { from: "a@x.jp", to: "b@x.jp", attachments: [] },
    "message: needs at least one of text, html, icalEvent, attachments or raw",
  ],
  ["a text that is no string", { ...minimal, text: { path: "/etc/passwd" } }, "text: is not a string"],
  ["a line break in the subject", { ...minimal, subject: "Hi\r\nBcc: eve@x.jp" }, "subject: has a line break"],
  ["a NUL in the subject", { ...minimal, subject: "Hi\0" }, "subject: has a control character"],
  [
    "a subject that no line holds",
    { ...minimal, subject: "x".repeat(901) },
    "subject: has a word of more than 900 octets",
  ],
  ["an unknown field", { ...minimal, txt: "" }, "txt: is not a known field"],
  [
    "a known field in another case",
    { ...minimal, reply_to: "" },
    "reply_to: is not a known field: did you mean replyTo?",
  ],
  ["a field that breaks a log line", { ...minimal, "a\nb": 1 }, String.raw`["a\nb"]: is not a known field`],
  [
    "nodemailer's own fields",
    { ...minimal, amp: "", dkim: {} },
    "amp: is not a known field; dkim: is not a known field",
  ],
  ["an unknown class", { ...minimal, class: "urgent" }, 'class: "urgent" is not otp, transactional or bulk'],
  [
    "an instant without a zone",
    { ...minimal, expiresAt: "2026-12-01T09:00:00" },
    'expiresAt: "2026-12-01T09:00:00" is not an instant with its zone, such as 2026-01-31T09:00:00+09:00',
  ],
  [
    "an instant that is no day",
    { ...minimal, expiresAt: "2026-02-30T09:00:00Z" },
    'expiresAt: "2026-02-30T09:00:00Z" is not an instant with its zone, such as 2026-01-31T09:00:00+09:00',
  ],
  [
    "an instant in seconds",
    { ...minimal, sendAt: 1_796_083_200 },
    "sendAt: 1796083200 is before 2001: give milliseconds since 1970, not seconds",
  ],
  [
    "an end before the start",
    { ...minimal, sendAt: 1_796_083_200_000, expiresAt: "2026-01-01T00:00:00Z" },
    'expiresAt: "2026-01-01T00:00:00Z" is not after sendAt',
  ],
  ["eleven tags", { ...minimal, tags: Array.from({ length: 11 }, String) }, "tags: has more than 10 items"],
  ["an empty tag", { ...minimal, tags: [""] }, "tags[0]: is empty"],
  ["a long tag", { ...minimal, tags: ["x".repeat(101)] }, "tags[0]: has more than 100 characters"],
  ["a line break in a tag", { ...minimal, tags: ["a\nb"] }, "tags[0]: has a line break"],
  [
    "a long tenant",
    { ...minimal, tenant: "x".repeat(101) },
    `tenant: "${"x".repeat(60)}…" has more than 100 characters`,
  ],
  ["metadata that is a list", { ...minimal, metadata: [] }, "metadata: is not an object"],
  [
    "large metadata",
    { ...minimal, metadata: { a: "x".repeat(10_240) } },
    "metadata: has more than 10240 octets of JSON",
  ],
  ["no providers in the list", { ...minimal, providers: [] }, "providers: is empty"],
  ["a provider twice", { ...minimal, providers: ["a", "a"] }, "providers: names a provider twice"],
  [
    "an unknown policy",
    { ...minimal, onUncertain: "panic" },
    'onUncertain: "panic" is not resend, retry, verify or hold',
  ],
  [
    "an unknown throttle policy",
    { ...minimal, whenThrottled: "drop" },
    'whenThrottled: "drop" is not wait, spill or an object',
  ],
  ["a negative wait", { ...minimal, whenThrottled: { spillAfterMs: -1 } }, "whenThrottled.spillAfterMs: -1 is below 0"],
  ["an empty idempotencyKey", { ...minimal, idempotencyKey: "" }, "idempotencyKey: is empty"],
  ["an attachment of nothing", withAttachment({}), "attachments[0]: needs exactly one of content, path and href"],
  [
    "an attachment of two",
    withAttachment({ content: "", path: "/a" }),
    "attachments[0]: needs exactly one of content, path and href",
  ],
  ["bad base64", withAttachment({ content: "a=b", encoding: "base64" }), "attachments[0].content: is not base64"],
  ["bad hex", withAttachment({ content: "abc", encoding: "hex" }), "attachments[0].content: is not hex"],
  [
    "an unknown encoding",
    withAttachment({ content: "", encoding: "utf7" }),
    "attachments[0].encoding: is not utf8, utf-8, ascii, latin1, base64 or hex",
  ],
  [
    "a line break in a filename",
    withAttachment({ content: "", filename: "a\r\nb" }),
    "attachments[0].filename: has a line break",
  ],
  [
    "a long filename",
    withAttachment({ content: "", filename: "x".repeat(256) }),
    "attachments[0].filename: has more than 255 characters",
  ],
  [
    "a bad media type",
    withAttachment({ content: "", contentType: "pdf" }),
    "attachments[0].contentType: is not a media type such as application/pdf",
  ],
  [
    "a line break in a media type",
    withAttachment({ content: "", contentType: "a/b;\nx" }),
    "attachments[0].contentType: is not a media type such as application/pdf",
  ],
  [
    "a multipart attachment",
    withAttachment({ content: "", contentType: "multipart/mixed" }),
    "attachments[0].contentType: is multipart, which an attachment cannot be",
  ],
  [
    "a bad Content-ID",
    withAttachment({ content: "", cid: "a b" }),
    "attachments[0].cid: is not a Content-ID: printable ASCII without spaces",
  ],
  [
    "a byte that is none",
    withAttachment({ content: { type: "Buffer", data: [256] } }),
    "attachments[0].content.data[0]: is above 255",
  ],
  ["an invitation without content", { ...minimal, icalEvent: { method: "REQUEST" } }, "icalEvent.content: is missing"],
  [
    "a method that ends its header",
    { ...minimal, icalEvent: { method: "X; y=z\r\n", content: calendar } },
    "icalEvent.method: is not a method such as REQUEST",
  ],
  ["a bad return path", { ...minimal, envelope: { from: "bob" } }, 'envelope.from: "bob" is not a mail address'],
  ["an envelope to nobody", { ...minimal, envelope: { to: [] } }, "envelope.to: names no recipient"],
  [
    "a bad envelope recipient",
    { ...minimal, envelope: { to: ["a@x.jp", "bob"] } },
    'envelope.to[1]: "bob" is not a mail address',
  ],
  [
    "a name in the envelope",
    { ...minimal, envelope: { to: '"B" <b@x.jp>' } },
    String.raw`envelope.to: "\"B\" <b@x.jp>" is not a bare mail address`,
  ],
  ["raw without an envelope", { raw: rawText }, "envelope.to: names no recipient"],
  [
    "raw with composed fields",
    { ...minimal, raw: rawText, envelope: { to: "b@x.jp" } },
    "from: cannot be given together with raw; to: cannot be given together with raw; text: cannot be given together with raw",
  ],
  ["raw of the wrong type", { raw: 5, envelope: { to: "b@x.jp" } }, "raw: is not a string or an object"],
];

describe("parseSubmission refuses", () => {
  test.each(bad)("%s", (_, data, want) => {
    expect(refusal(data)).toBe(want);
  });
});

test("all problems are named at once, whether the schema finds them or not", () => {
  expect(
    refusal({ from: "bob@", to: ["b@x.jp"], text: 5, class: "urgent", headers: { "X-A": "a\nb" }, tags: ["a\nb"] }),
  ).toBe(
    'text: is not a string; class: "urgent" is not otp, transactional or bulk; from: "bob@" is not a mail address; ' +
      'headers["X-A"]: has a line break; tags[0]: has a line break',
  );
});

test("no body, header value or attachment is quoted in a problem", () => {
  const secret = "s3cret";
  const line = refusal({
    ...minimal,
    text: { secret },
    html: [secret],
    subject: `${secret}\n`.repeat(2),
    headers: { "X-A": `${secret}\n${secret}` },
    attachments: [{ content: `${secret}!`, encoding: "hex", contentType: secret }],
    icalEvent: { content: 5, method: `${secret};` },
    metadata: { secret: "x".repeat(11_000) },
  });
  expect(line).toContain("subject");
  expect(line).not.toContain(secret);
});

describe("a submission", () => {
  test("has its class's defaults left open", () => {
    expect(accept(minimal)).toMatchObject({
      class: "transactional",
      tags: [],
      tenant: null,
      metadata: {},
      providers: null,
      expiresAt: null,
      sendAt: null,
      onUncertain: null,
      whenThrottled: null,
    });
  });

  test.each([
    ["wait", { maxWaitMs: Number.POSITIVE_INFINITY }],
    ["spill", { maxWaitMs: 0 }],
    [{ spillAfterMs: 5_000 }, { maxWaitMs: 5_000 }],
  ])("reads whenThrottled %j", (whenThrottled, want) => {
    expect(accept({ ...minimal, whenThrottled }).whenThrottled).toEqual(want);
  });

  test("reads instants", () => {
    const { sendAt, expiresAt } = accept({
      ...minimal,
      sendAt: "2026-12-01T09:00:00+09:00",
      expiresAt: 1_796_083_200_001,
    });
    expect(sendAt?.toISOString()).toBe("2026-12-01T00:00:00.000Z");
    expect(expiresAt?.getTime()).toBe(1_796_083_200_001);
  });

  test("has one envelope recipient for an address that is named twice", () => {
    const { envelope } = accept({
      ...minimal,
      to: "taro@Example.jp, b@x.jp",
      cc: ["taro@EXAMPLE.JP"],
      bcc: "Taro@example.jp",
    });
    expect(envelope).toEqual({
      mailFrom: "noreply@contoso.com",
      rcptTo: ["taro@Example.jp", "b@x.jp", "Taro@example.jp"],
    });
  });

  test("goes by its envelope where it has one", () => {
    const { envelope } = accept({ ...minimal, envelope: { from: "<bounce@contoso.com>", to: "x@x.jp, y@x.jp" } });
    expect(envelope).toEqual({ mailFrom: "bounce@contoso.com", rcptTo: ["x@x.jp", "y@x.jp"] });
    expect(accept({ ...minimal, envelope: { from: "<>" } }).envelope.mailFrom).toBe("");
  });

  test("has no more recipients, attachments, headers and octets than the limits say", () => {
    const to = ["a@x.jp", "b@x.jp", "c@x.jp"];
    expect(refusal({ ...minimal, to }, { maxRecipients: 2 })).toBe("to: names more than 2 recipients");
    expect(refusal({ ...minimal, to }, { maxRecipients: 3 })).toBeNull();
    const attachments = [{ content: "" }, { content: "" }];
    expect(refusal({ ...minimal, attachments }, { maxAttachments: 1 })).toBe("attachments: has more than 1 items");
    const headers = { "X-A": ["1", "2"] };
    expect(refusal({ ...minimal, headers }, { maxHeaderCount: 1 })).toBe("headers: has more than 1 fields");
    expect(refusal({ ...minimal, headers }, { maxHeaderBytes: 10 })).toBe("headers: has more than 10 octets");
    expect(refusal(minimal, { maxSizeBytes: 4 })).toBe("message: has more than 4 octets");
  });

  test("of 500 recipients is read in a moment", () => {
    const to = Array.from({ length: 500 }, (_, index) => `"User, ${index}" <user${index}@example.jp>`).join(", ");
    const startedAt = performance.now();
    expect(parseSubmission({ ...minimal, to }, defaultLimits)).toMatchObject({ ok: true });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
