import { decodeWords } from "postal-mime";
import { describe, expect, test } from "vitest";

import { compose, defaultLimits } from "../../../src/message/index.ts";
import { accept, composeData, decode, headerFields, headerNames, identify, minimal } from "./fixture.ts";

const rich = {
  from: "株式会社コントソ <noreply@contoso.com>",
  to: ['"Yamada, Taro" <taro@example.jp>', { name: "山田 花子", address: "hanako@例え.jp" }],
  cc: "cc@example.jp",
  bcc: ["eve@hidden.example", "Mallory <mallory@hidden.example>"],
  replyTo: "返信先 <reply@contoso.com>",
  subject: "ご注文の確認：長い件名はいくつもの符号化語に分かれるので、それが元に戻ることを確かめます 😀",
  text: "本文です。\n.\n..\n終わり",
  html: '<p>本文です。<img src="cid:logo"></p>',
  headers: { "X-Order": "注文 17", "x-mixed-CASE": "1", "In-Reply-To": "<a@b.c>" },
  attachments: [
    {
      filename: "請求書（二〇二六年十一月）最終版のコピー.pdf",
      content: "JVBERi0=",
      encoding: "base64",
      contentType: "application/pdf",
    },
    { filename: "logo.png", content: "89504e47", encoding: "hex", cid: "<logo>" },
    { content: { type: "Buffer", data: [0, 13, 10, 255] } },
  ],
  icalEvent: { method: "request", content: "BEGIN:VCALENDAR\nEND:VCALENDAR\n" },
};

describe("a composed message", () => {
  test("says what the app said", async () => {
    const { mime } = await composeData(rich);
    const email = await decode(mime);
    expect(email.from).toMatchObject({ name: "株式会社コントソ", address: "noreply@contoso.com" });
    expect(email.to).toMatchObject([
      { name: "Yamada, Taro", address: "taro@example.jp" },
      { name: "山田 花子", address: "hanako@xn--r8jz45g.jp" },
    ]);
    expect(email.cc).toMatchObject([{ address: "cc@example.jp" }]);
    expect(email.replyTo).toMatchObject([{ name: "返信先", address: "reply@contoso.com" }]);
    expect(email.subject).toBe(rich.subject);
    expect(email.text?.replaceAll("\r\n", "\n").trimEnd()).toBe(rich.text);
    expect(email.html?.trimEnd()).toBe(rich.html);
    expect(decodeWords(email.headers.find(({ key }) => key === "x-order")!.value)).toBe("注文 17");
    expect(email.attachments.map(({ filename, mimeType, disposition }) => [filename, mimeType, disposition])).toEqual([
      ["logo.png", "image/png", "inline"],
      [null, "text/calendar", null],
      ["請求書（二〇二六年十一月）最終版のコピー.pdf", "application/pdf", "attachment"],
      ["attachment-3.bin", "application/octet-stream", "attachment"],
      ["invite.ics", "application/ics", "attachment"],
    ]);
    const contents = email.attachments.map(({ content }) => Buffer.from(content as ArrayBuffer));
    expect(contents[0]).toEqual(Buffer.from("89504e47", "hex"));
    expect(contents[2]?.toString()).toBe("%PDF-");
    expect(contents[3]).toEqual(Buffer.from([0, 13, 10, 255]));
    expect(email.attachments[0]?.contentId).toBe("<logo>");
    expect(email.attachments[1]?.method).toBe("REQUEST");
  });

  test("has the header fields it should have, spelled as they were given", async () => {
    const { mime, id, messageId } = await composeData(rich);
    expect(headerNames(mime)).toEqual([
      "X-Order",
      "x-mixed-CASE",
      "In-Reply-To",
      "X-Mailover-Id",
      "From",
      "To",
      "Cc",
      "Reply-To",
      "Subject",
      "Message-ID",
      "Date",
      "MIME-Version",
      "Content-Type",
    ]);
    expect(headerFields(mime)).toEqual(
      expect.arrayContaining([
        { name: "X-Mailover-Id", value: id },
        { name: "Message-ID", value: messageId },
        { name: "Date", value: "Tue, 24 Nov 2026 00:00:00 +0000" },
      ]),
    );
  });

  test("never names those in bcc, who are in the envelope and the parts", async () => {
    const { mime, envelope, parts } = await composeData(rich);
    expect(mime.toString()).not.toMatch(/hidden\.example|mallory|bcc/i);
    expect(envelope.rcptTo).toEqual(expect.arrayContaining(["eve@hidden.example", "mallory@hidden.example"]));
    expect(parts?.bcc).toHaveLength(2);
  });

  test("has the same bytes each time", async () => {
    const [first, second] = await Promise.all([composeData(rich), composeData(rich)]);
    expect(first.mime.equals(second.mime)).toBe(true);
  });

  test("keeps the Message-ID that the app gave, once", async () => {
    const { mime, messageId, parts } = await composeData({
      ...minimal,
      headers: { "message-id": "<own@contoso.com>" },
    });
    expect(messageId).toBe("<own@contoso.com>");
    expect(headerFields(mime).filter(({ name }) => /^message-id$/i.test(name))).toEqual([
      { name: "Message-ID", value: messageId },
    ]);
    expect(parts?.headers).toEqual([]);
  });

  test("is dated when it is to be sent", async () => {
    const { mime, date } = await composeData({ ...minimal, sendAt: "2026-12-01T09:00:00+09:00" });
    expect(date.toISOString()).toBe("2026-12-01T00:00:00.000Z");
    expect(headerFields(mime)).toContainEqual({ name: "Date", value: "Tue, 01 Dec 2026 00:00:00 +0000" });
  });

  test("keeps a local part in another script with its domain", async () => {
    const { mime, envelope } = await composeData({ ...minimal, to: "山田@例え.jp" });
    expect(mime.toString()).toContain("\r\nTo: 山田@例え.jp\r\n");
    expect(envelope.rcptTo).toEqual(["山田@例え.jp"]);
  });

  test("has the null sender in the envelope alone", async () => {
    const { mime, envelope } = await composeData({ ...minimal, envelope: { from: "" } });
    expect(envelope.mailFrom).toBe("");
    expect(mime.toString()).toContain("From: noreply@contoso.com\r\n");
  });
});

const texts: readonly [rule: string, text: string][] = [
  ["a long line", "x".repeat(5_000)],
  ["a long line in Japanese", "山".repeat(5_000)],
  ["lone dots", ".\r\n..\r\n.\r\n"],
  ["a line that looks like a boundary", "--mailover-x-Part_1\r\n--"],
  ["bare CR and LF", "a\rb\nc\r\r\nd"],
  ["trailing white space", "a \t\r\nb  \r\n"],
  ["a NUL and other control characters", "a\0b\x07c\x7f"],
  ["From at the start of a line", "From me\r\nFrom you"],
  ["a lone surrogate", "a\ud800b"],
  ["nothing", ""],
];

describe("a text goes through as it is, in lines that a server takes", () => {
  test.each(texts)("%s", async (_, text) => {
    const { mime } = await composeData({ ...minimal, text, html: text });
    for (const line of mime.toString("latin1").split("\r\n")) {
      expect(line).not.toMatch(/[\r\n\0]/);
      expect(line.length).toBeLessThanOrEqual(998);
    }
    const email = await decode(mime);
    const want = Buffer.from(text)
      .toString()
      .replace(/\r\n|\r|\n/g, "\n");
    expect((email.text ?? "").replace(/\r\n/g, "\n").replace(/\n+$/, "")).toBe(want.replace(/\n+$/, ""));
  });
});

test("a message inside goes out as it is where lines can carry it, and is refused where not", async () => {
  const attach = (content: string) => ({
    ...minimal,
    attachments: [{ content, contentType: "message/rfc822", filename: "m.eml" }],
  });
  const { mime } = await composeData(attach("From: a@x.jp\n\n.\nh\u00e9llo\rend"));
  expect(mime.toString()).toContain("\r\n\r\nFrom: a@x.jp\r\n\r\n.\r\nh\u00e9llo\r\nend\r\n--mailover-");

  for (const content of ["x".repeat(999), "a\0b"]) {
    const data = attach(content);
    const submission = accept(data);
    expect(await compose(submission, identify(submission, data), defaultLimits)).toEqual({
      ok: false,
      problems: [
        {
          field: "attachments[0]",
          value: "",
          rule: "is of a message/* type, which cannot be encoded, but has a NUL or a line of more than 998 octets",
        },
      ],
      retryable: false,
    });
  }
});

test("a message that encoding makes too large is refused with its size", async () => {
  const data = { ...minimal, attachments: [{ content: "x".repeat(900) }] };
  const limits = { ...defaultLimits, maxSizeBytes: 1_000 };
  const submission = accept(data, limits);
  const composed = await compose(submission, identify(submission, data), limits);
  expect(composed).toMatchObject({ ok: false, problems: [{ field: "message" }], retryable: false });
});

const longest: readonly [rule: string, data: object][] = [
  ["a header's name and word", { headers: { [`X-${"a".repeat(74)}`]: "b".repeat(900) } }],
  ["a header's white space", { headers: { "X-A": `${"a".repeat(60)}${" ".repeat(50)}${"b".repeat(900)}` } }],
  ["a header in another script", { headers: { "X-A": "東".repeat(3_000) } }],
  ["a subject", { subject: "s".repeat(900) }],
  ["a name", { from: { name: '"'.repeat(450), address: "a@x.jp" } }],
  ["a name in another script", { from: { name: "東".repeat(2_000), address: "a@x.jp" } }],
  ["a Message-ID", { headers: { "Message-ID": `<${"l".repeat(400)}@${"r".repeat(400)}>` } }],
  ["a filename of signs", { attachments: [{ content: "", filename: "\\".repeat(255) }] }],
  ["a filename in another script", { attachments: [{ content: "", filename: "東".repeat(255) }] }],
  [
    "a media type",
    { attachments: [{ content: "", contentType: `${"a".repeat(127)}/${"b".repeat(127)};c=${"d".repeat(400)}` }] },
  ],
  ["a Content-ID", { attachments: [{ content: "", cid: "c".repeat(500) }] }],
  ["a calendar's filename", { icalEvent: { content: "x", filename: "\\".repeat(255) } }],
];

describe("a line holds the longest", () => {
  test.each(longest)("%s", async (_, data) => {
    const { mime } = await composeData({ ...minimal, ...data });
    for (const line of mime.toString("latin1").split("\r\n")) expect(line.length).toBeLessThanOrEqual(998);
    const header = mime.toString("latin1", 0, mime.indexOf("\r\n\r\n"));
    expect(header).not.toMatch(/\r\n[ \t]+(?:\r\n|$)/);
  });
});
