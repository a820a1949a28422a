import { describe, expect, test } from "vitest";
import type { FromMapping, Mailbox, Message } from "../../../../src/core/index.ts";
import { mailboxHeader } from "../../../../providers/smtp/mailbox-header.ts";
import { rewriteFrom } from "../../../../providers/smtp/rewrite-from.ts";
import { message } from "./support.ts";

const mapping: FromMapping = { "contoso.test": "mail@send.contoso.test" };

function raw(head: readonly string[], from: Mailbox, body: Buffer = Buffer.from("Hello\r\n")): Message {
  return { ...message(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body])), from };
}

const app: Mailbox = { name: "App", address: "app@contoso.test" };

describe("the header", () => {
  const cases: readonly [rule: string, from: Mailbox, before: readonly string[], after: readonly string[]][] = [
    [
      "has the mapped From where the app's was, and the app's own as Reply-To",
      app,
      ["Subject: Hi", "From: App <app@contoso.test>", "To: ann@example.test"],
      ["Subject: Hi", "From: App <mail@send.contoso.test>", "Reply-To: App <app@contoso.test>", "To: ann@example.test"],
    ],
    [
      "keeps a Reply-To that is there",
      app,
      ["REPLY-TO: help@contoso.test", "From: App <app@contoso.test>"],
      ["REPLY-TO: help@contoso.test", "From: App <mail@send.contoso.test>"],
    ],
    [
      "keeps a folded From word for word in Reply-To",
      { name: "Jörg Müller", address: "app@contoso.test" },
      ["from: =?UTF-8?Q?J=C3=B6rg?=", " =?UTF-8?Q?_M=C3=BCller?=", "\t<app@contoso.test>", "Subject: Hi"],
      [
        "From: =?UTF-8?B?SsO2cmcgTcO8bGxlcg==?=",
        " <mail@send.contoso.test>",
        "Reply-To: =?UTF-8?Q?J=C3=B6rg?=",
        " =?UTF-8?Q?_M=C3=BCller?=",
        "\t<app@contoso.test>",
        "Subject: Hi",
      ],
    ],
    [
      "is not misled by fields that only look like From",
      app,
      ["X-From: x@contoso.test", "Subject: not", " From: y@contoso.test", "From: app@contoso.test"],
      [
        "X-From: x@contoso.test",
        "Subject: not",
        " From: y@contoso.test",
        "From: App <mail@send.contoso.test>",
        "Reply-To: app@contoso.test",
      ],
    ],
    [
      "gets a From where there was none",
      app,
      ["Subject: Hi"],
      ["From: App <mail@send.contoso.test>", "Reply-To: App <app@contoso.test>", "Subject: Hi"],
    ],
    [
      "has one From only",
      app,
      ["From: app@contoso.test", "Subject: Hi", "From: other@contoso.test"],
      ["From: App <mail@send.contoso.test>", "Reply-To: app@contoso.test", "Subject: Hi"],
    ],
  ];
  test.each(cases)("%s", (_rule, from, before, after) => {
    const rewritten = rewriteFrom(raw(before, from), mapping);
    expect(rewritten.mime.toString("utf8")).toBe(`${after.join("\r\n")}\r\n\r\nHello\r\n`);
    expect(rewritten.from).toEqual({ name: from.name, address: "mail@send.contoso.test" });
  });
});

test("the body stays byte for byte, whatever it looks like", () => {
  const body = Buffer.concat([Buffer.from("From: app@contoso.test\r\n\r\n.\r\n"), Buffer.from([0xff, 0x00, 0x80])]);
  const rewritten = rewriteFrom(raw(["From: app@contoso.test"], app, body), mapping);
  expect(rewritten.mime.subarray(-body.length).equals(body)).toBe(true);
});

test("a From that is not mapped leaves the message as it is", () => {
  const original = message();
  expect(rewriteFrom(original, { "fabrikam.test": "x@fabrikam.test" })).toBe(original);
  expect(rewriteFrom(original, { "*": "APP@contoso.test" })).toBe(original);
});

describe("the envelope's sender", () => {
  test("goes along where it was the From, whatever its case", () => {
    const mapped = rewriteFrom(message(undefined, "App@Contoso.test"), mapping);
    expect(mapped.envelope).toEqual({ mailFrom: "mail@send.contoso.test", rcptTo: ["ann@example.test"] });
  });

  test.each(["", "bounces@contoso.test"])("stays where it was another: <%s>", (mailFrom) => {
    expect(rewriteFrom(message(undefined, mailFrom), mapping).envelope.mailFrom).toBe(mailFrom);
  });
});

describe("a mailbox in a header", () => {
  const cases: readonly [name: string | null, header: string][] = [
    [null, "a@b.test"],
    ["", "a@b.test"],
    ["Ann Smith", "Ann Smith <a@b.test>"],
    ["Smith, Ann", '"Smith, Ann" <a@b.test>'],
    ['Ann "A" \\ Smith', '"Ann \\"A\\" \\\\ Smith" <a@b.test>'],
    ["Ann =?x?= Smith", "=?UTF-8?B?QW5uID0/eD89IFNtaXRo?=\r\n <a@b.test>"],
    ["Ann\r\nBcc: eve@evil.test", "=?UTF-8?B?QW5uDQpCY2M6IGV2ZUBldmlsLnRlc3Q=?=\r\n <a@b.test>"],
  ];
  test.each(cases)("named %j", (name, header) => {
    expect(mailboxHeader({ name, address: "a@b.test" })).toBe(header);
  });

  test("with a long name is folded, each word whole", () => {
    const name = "株式会社コントソ　お客様サポートセンター　東京本社 🏢".repeat(3);
    const lines = mailboxHeader({ name, address: "a@b.test" }).split("\r\n");
    expect(lines.length).toBeGreaterThan(4);
    expect(lines.every((line) => line.length <= 76)).toBe(true);
    const words = lines.slice(0, -1).map((line) => /^ ?=\?UTF-8\?B\?([A-Za-z0-9+/=]+)\?=$/.exec(line)![1]!);
    expect(words.map((word) => Buffer.from(word, "base64").toString("utf8")).join("")).toBe(name);
  });
});
