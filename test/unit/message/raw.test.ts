import { describe, expect, test } from "vitest";

import { accept, composeData, decode, headerFields, headerNames, refusal } from "./fixture.ts";

const envelope = { to: ["taro@example.jp"] };
const bytes = (raw: string) => ({ content: Buffer.from(raw, "latin1").toString("base64"), encoding: "base64" });

const refused: readonly [rule: string, raw: string, want: string][] = [
  ["nothing", "", "raw: has a malformed header: line 1 is no header field"],
  ["a body alone", "\r\nhello", "raw: has a malformed header: line 1 is no header field"],
  [
    "a line that is no field",
    "From: a@x.jp\r\nhello\r\n\r\n",
    "raw: has a malformed header: line 2 is no header field",
  ],
  ["an mbox line", "From a@x.jp Tue\r\nFrom: a@x.jp\r\n\r\n", "raw: has a malformed header: line 1 is no header field"],
  ["a fold at the start", " a\r\nFrom: a@x.jp\r\n\r\n", "raw: has a malformed header: line 1 is no header field"],
  ["no From", "To: a@x.jp\r\n\r\n", "raw: has 0 From headers: it needs exactly one"],
  ["two From", "From: a@x.jp\r\nFROM: b@x.jp\r\n\r\n", "raw: has 2 From headers: it needs exactly one"],
  ["From with two mailboxes", "From: a@x.jp, b@x.jp\r\n\r\n", "raw: has a From header that is not one mailbox"],
  ["From that is no mailbox", "From: MAILER-DAEMON\r\n\r\n", "raw: has a From header that is not one mailbox"],
  ["a NUL", "From: a@x.jp\r\n\r\n\0", "raw: has a NUL"],
];

describe("a raw message is refused for", () => {
  test.each(refused)("%s", (_, raw, want) => {
    expect(refusal({ raw: bytes(raw), envelope })).toBe(want);
  });

  test("its size and the size of its header", () => {
    const raw = "From: a@x.jp\r\n\r\nhello";
    expect(refusal({ raw, envelope }, { maxHeaderBytes: 10 })).toBe("raw: has a header of more than 10 octets");
    expect(refusal({ raw, envelope }, { maxSizeBytes: 20 })).toBe("raw: has more than 20 octets");
  });
});

const authors: readonly [rule: string, from: string, want: { name: string | null; address: string }][] = [
  ["bare", "a@x.jp", { name: null, address: "a@x.jp" }],
  ["named", '"Yamada, Taro" <a@x.jp>', { name: "Yamada, Taro", address: "a@x.jp" }],
  ["folded", "Taro\r\n Yamada <a@x.jp>", { name: "Taro Yamada", address: "a@x.jp" }],
  ["in UTF-8", Buffer.from("山田 <a@x.jp>").toString("latin1"), { name: "山田", address: "a@x.jp" }],
  [
    "in encoded words of UTF-8",
    "=?UTF-8?B?5bGx55Sw?=\r\n =?utf-8?q?_=E5=A4=AA?= <a@x.jp>",
    { name: "山田 太", address: "a@x.jp" },
  ],
  ["in ISO-2022-JP", "=?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <a@x.jp>", { name: "山田", address: "a@x.jp" }],
  [
    "with a colon and a comma out of quotes",
    "Scanner: 2F, east <a@x.jp>",
    { name: "Scanner: 2F, east", address: "a@x.jp" },
  ],
  ["in a charset nobody knows", "=?x-none?B?YQ==?= <a@x.jp>", { name: "=?x-none?B?YQ==?=", address: "a@x.jp" }],
  ["with a hidden line break", "=?utf-8?q?a=0D=0ABcc:_eve?= <a@x.jp>", { name: "a Bcc: eve", address: "a@x.jp" }],
];

describe("the author of a raw message is read where it is", () => {
  test.each(authors)("%s", (_, from, want) => {
    expect(accept({ raw: bytes(`From: ${from}\r\n\r\n`), envelope })).toMatchObject({
      from: want,
      envelope: { mailFrom: "a@x.jp" },
    });
  });
});

test("what is missing is added on top, and the rest stays byte for byte", async () => {
  const body = "8-bit \xe9\xff\r\n.\r\n..\r\n".concat("x".repeat(2_000), "\r\n");
  const header = "Received: by x;\r\n\tTue\r\nfrom:  a@x.jp \r\nTo: hidden:;\r\nDate: yesterday\r\n";
  const { mime, parts, messageId, id } = await composeData({ raw: bytes(`${header}\r\n${body}`), envelope });
  expect(mime.toString("latin1")).toBe(`X-Mailover-Id: ${id}\r\nMessage-ID: ${messageId}\r\n${header}\r\n${body}`);
  expect(parts).toBeNull();
});

test("a missing date is the time of the job", async () => {
  const { mime } = await composeData({ raw: "From: a@x.jp\n\nhello", envelope });
  expect(headerFields(mime)).toContainEqual({ name: "Date", value: "Tue, 24 Nov 2026 00:00:00 +0000" });
});

test("a Message-ID of its own stays, and is the message's", async () => {
  const { mime, messageId } = await composeData({ raw: "From: a@x.jp\r\nMessage-Id: <own@x.jp>\r\n\r\n", envelope });
  expect(messageId).toBe("<own@x.jp>");
  expect(headerFields(mime).filter(({ name }) => /^message-id$/i.test(name))).toEqual([
    { name: "Message-Id", value: "<own@x.jp>" },
  ]);
});

test.each(["Message-ID: broken\r\n", "Message-ID: <a@x.jp>\r\nMessage-ID: <b@x.jp>\r\n"])(
  "a Message-ID that is none, or two, is replaced: %j",
  async (header) => {
    const { mime, messageId, id } = await composeData({ raw: `From: a@x.jp\r\n${header}\r\n`, envelope });
    expect(messageId).toBe(`<${id}@x.jp>`);
    expect(headerFields(mime).filter(({ name }) => name === "Message-ID")).toEqual([
      { name: "Message-ID", value: messageId },
    ]);
  },
);

test("Bcc goes in all its forms, and so does Mailover's own from an earlier round", async () => {
  const raw =
    "bcc: eve@x.jp\r\nFrom: a@x.jp\r\nBcc :\r\n eve@x.jp,\r\n\teve2@x.jp\r\nResent-Bcc: eve@x.jp\r\nX-Mailover-Id: old\r\nSubject: s\r\n\r\nBcc: in the body\r\n";
  const { mime, id } = await composeData({ raw, envelope });
  expect(headerNames(mime)).toEqual(["X-Mailover-Id", "Message-ID", "Date", "From", "Subject"]);
  expect(mime.toString()).not.toContain("eve");
  expect(mime.toString()).toContain(`X-Mailover-Id: ${id}\r\n`);
  expect((await decode(mime)).text).toBe("Bcc: in the body\n");
});

test("bare CR and bare LF become CRLF, and the last line gets one", async () => {
  const { mime } = await composeData({ raw: "From: a@x.jp\nSubject: s\r\n\ra\rb\nc\r\r\n.\nd", envelope });
  expect(mime.toString()).toMatch(/From: a@x\.jp\r\nSubject: s\r\n\r\na\r\nb\r\nc\r\n\r\n\.\r\nd\r\n$/);
});
