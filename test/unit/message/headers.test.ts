import { describe, expect, test } from "vitest";

import { accept, minimal, refusal } from "./fixture.ts";

const taken: readonly [rule: string, name: string, value: string][] = [
  ["any name of the app's own", "X-Order", "17"],
  ["another script", "X-City", "東京"],
  ["a tab", "X-Tab", "a\tb"],
  ["List-Unsubscribe", "List-Unsubscribe", "<https://contoso.com/u?t=1>, <mailto:u@contoso.com>"],
  ["Auto-Submitted", "Auto-Submitted", "auto-generated"],
  ["a name with every sign", "!#$%&'*+-.^_`|~", "1"],
  ["In-Reply-To", "In-Reply-To", "<a@b.c>"],
  ["References", "references", "<a@b.c> <d@e.f>"],
  ["Sender", "Sender", "Contoso <office@contoso.com>"],
  ["Message-ID", "message-id", "<order-17@contoso.com>"],
];

describe("headers take", () => {
  test.each(taken)("%s", (_, name, value) => {
    expect(accept({ ...minimal, headers: { [name]: value } }).content).toMatchObject({
      parts: { headers: [{ name, value }] },
    });
  });
});

const refused: readonly [rule: string, name: string, value: string, want: string][] = [
  ["CRLF", "X-A", "a\r\nBcc: eve@x.jp", 'headers["X-A"]: has a line break'],
  ["a bare LF", "X-A", "a\nb", 'headers["X-A"]: has a line break'],
  ["a bare CR", "X-A", "a\rb", 'headers["X-A"]: has a line break'],
  ["a folded value", "X-A", "a\r\n b", 'headers["X-A"]: has a line break'],
  ["a NUL", "X-A", "a\0b", 'headers["X-A"]: has a control character'],
  ["DEL", "X-A", "a\x7fb", 'headers["X-A"]: has a control character'],
  ["a word that no line holds", "X-A", `a ${"b".repeat(901)}`, 'headers["X-A"]: has a word of more than 900 octets'],
  ["a run of spaces", "X-A", `a${" ".repeat(51)}b`, 'headers["X-A"]: has more than 50 spaces in a row'],
  ["a name with a colon", "X-A: b", "1", 'headers["X-A: b"]: is not a header name'],
  ["a name with a line break", "X-A\r\nBcc", "1", String.raw`headers["X-A\r\nBcc"]: is not a header name`],
  ["a name in another script", "X-東京", "1", 'headers["X-東京"]: is not a header name'],
  ["an empty name", "", "1", 'headers[""]: is not a header name'],
  ["Bcc", "bCC", "eve@x.jp", "headers.bCC: cannot be set: use the field of that name"],
  ["To", "To", "eve@x.jp", "headers.To: cannot be set: use the field of that name"],
  ["Subject", "Subject", "x", "headers.Subject: cannot be set: use the field of that name"],
  ["Date", "Date", "x", "headers.Date: cannot be set: it is sendAt, or the time the message was handed in"],
  ["Mailover's own", "X-Mailover-Id", "x", 'headers["X-Mailover-Id"]: cannot be set: these are Mailover\'s own'],
  [
    "Content-Type",
    "Content-Type",
    "text/html",
    'headers["Content-Type"]: cannot be set: these follow from the content',
  ],
  ["MIME-Version", "MIME-Version", "1.0", 'headers["MIME-Version"]: cannot be set: these follow from the content'],
  ["Received", "Received", "x", "headers.Received: cannot be set: mail servers write these"],
  ["Resent-Bcc", "Resent-Bcc", "x", 'headers["Resent-Bcc"]: cannot be set: mail servers write these'],
  [
    "DKIM-Signature",
    "DKIM-Signature",
    "x",
    'headers["DKIM-Signature"]: cannot be set: it is made over the finished message: use raw',
  ],
  [
    "X-SMTPAPI",
    "X-SMTPAPI",
    "{}",
    'headers["X-SMTPAPI"]: cannot be set: it would change the recipients at one provider only',
  ],
  [
    "a Message-ID without brackets",
    "Message-ID",
    "a@b.c",
    'headers["Message-ID"]: is not a Message-ID such as <left@right>',
  ],
  ["a Message-ID without an @", "Message-ID", "<a>", 'headers["Message-ID"]: is not a Message-ID such as <left@right>'],
  [
    "two Message-IDs",
    "Message-ID",
    "<a@b.c> <d@e.f>",
    'headers["Message-ID"]: is not a Message-ID such as <left@right>',
  ],
  [
    "References that are none",
    "References",
    "<a@b.c> d",
    "headers.References: is not a list of Message-IDs such as <left@right>",
  ],
  ["two senders", "Sender", "a@x.jp, b@x.jp", "headers.Sender: is not one mailbox"],
];

describe("headers refuse", () => {
  test.each(refused)("%s", (_, name, value, want) => {
    expect(refusal({ ...minimal, headers: [{ key: name, value }] })).toBe(want);
    expect(refusal({ ...minimal, headers: { [name]: value } })).toBe(want);
  });
});

test("a header that may occur once only is refused when it is given twice, in any case", () => {
  const headers = [
    { key: "Message-ID", value: "<a@b.c>" },
    { key: "message-id", value: "<d@e.f>" },
  ];
  expect(refusal({ ...minimal, headers })).toBe('headers["message-id"]: is given more than once');
});

test("a list of values is as many fields, empty ones are left out, white space around them goes", () => {
  const submission = accept({ ...minimal, headers: { "X-A": ["1", " 2 ", 3], "X-B": "", "X-C": "  " } });
  expect(submission.content).toMatchObject({
    parts: {
      headers: [
        { name: "X-A", value: "1" },
        { name: "X-A", value: "2" },
        { name: "X-A", value: "3" },
      ],
    },
  });
});

test("nodemailer's prepared values, which go out unchecked, are refused", () => {
  expect(refusal({ ...minimal, headers: { "X-A": { prepared: true, value: "a\r\nBcc: eve@x.jp" } } })).toContain(
    'headers["X-A"]',
  );
});
