import { describe, expect, test } from "vitest";

import { splitList } from "../../../src/message/mailbox-list.ts";
import { addressKey, parseAddress, parseMailbox } from "../../../src/message/mailbox.ts";

const local64 = "l".repeat(64);
const label63 = "d".repeat(63);

const good: readonly [rule: string, text: string, name: string | null, address: string][] = [
  ["a bare address", "bob@example.com", null, "bob@example.com"],
  ["an address in angle brackets", "<bob@example.com>", null, "bob@example.com"],
  ["a name without quotes", "Bob Smith <bob@example.com>", "Bob Smith", "bob@example.com"],
  ["a name with dots", "J. R. Smith <bob@example.com>", "J. R. Smith", "bob@example.com"],
  ["a quoted name with a comma", '"Smith, Bob" <bob@example.com>', "Smith, Bob", "bob@example.com"],
  [
    "a quoted name with quotes in it",
    String.raw`"Bob \"B\" Smith" <bob@example.com>`,
    'Bob "B" Smith',
    "bob@example.com",
  ],
  ["a name in Japanese", "山田　太郎 <taro@example.jp>", "山田 太郎", "taro@example.jp"],
  ["white space around all of it", "  Bob   Smith  <bob@example.com> ", "Bob Smith", "bob@example.com"],
  ["a comment", "bob@example.com (work)", null, "bob@example.com"],
  ["a local part with all signs of atext", "!#$%&'*+-/=?^_`{|}~@example.com", null, "!#$%&'*+-/=?^_`{|}~@example.com"],
  ["a quoted local part", '"bob smith"@example.com', null, '"bob smith"@example.com'],
  ["a quoted local part with an @", '"a@b"@example.com', null, '"a@b"@example.com'],
  ["quotes that are not needed are dropped", '"bob"@example.com', null, "bob@example.com"],
  ["two dots in quotes", '"taro..y"@example.ne.jp', null, '"taro..y"@example.ne.jp'],
  ["a local part in Japanese keeps its domain", "山田@例え.jp", null, "山田@例え.jp"],
  ["a domain in Japanese becomes A-labels", "taro@例え.jp", null, "taro@xn--r8jz45g.jp"],
  ["the case of a domain stays", "Bob@Example.COM", null, "Bob@Example.COM"],
  ["a domain of one label", "root@localhost", null, "root@localhost"],
  ["an IPv4 literal", "bob@[192.0.2.1]", null, "bob@[192.0.2.1]"],
  ["an IPv6 literal", "bob@[IPv6:2001:db8::1]", null, "bob@[IPv6:2001:db8::1]"],
  ["a local part of 64 octets", `${local64}@example.com`, null, `${local64}@example.com`],
  ["a label of 63 octets", `bob@${label63}.com`, null, `bob@${label63}.com`],
];

describe("parseMailbox takes", () => {
  test.each(good)("%s: %s", (_, text, name, address) => {
    expect(parseMailbox(text)).toEqual({ ok: true, value: { name, address } });
  });
});

const bad: readonly [rule: string, text: string, want: string][] = [
  ["no domain", "bob@", "is not a mail address"],
  ["no local part", "@example.com", "is not a mail address"],
  ["no @", "bob", "is not a mail address"],
  ["nothing", "", "is not a mail address"],
  ["two addresses", "a@example.com, b@example.com", "is not a mail address"],
  ["two @", "a@b@example.com", "is not a mail address"],
  ["an open angle bracket", "Bob <bob@example.com", "is not a mail address"],
  ["a name without brackets", "Bob bob@example.com", "is not a mail address"],
  ["an open quote", '"Bob <bob@example.com>', "is not a mail address"],
  ["a space in the local part", "bob smith@example.com", "is not a mail address"],
  ["a wide space in the local part", "bob\u3000smith@example.com", "is not a mail address"],
  ["a lone surrogate", "bob\ud800@example.com", "is not a mail address"],
  ["a group", "staff: a@example.com;", "is not a mail address"],
  ["a source route", "<@relay.example:bob@example.com>", "is not a mail address"],
  ["two dots", "taro..y@example.ne.jp", "has a dot too many before its @: a local part like this must be in quotes"],
  [
    "a dot at the end",
    "taro.@example.ne.jp",
    "has a dot too many before its @: a local part like this must be in quotes",
  ],
  [
    "a dot at the start",
    ".taro@example.ne.jp",
    "has a dot too many before its @: a local part like this must be in quotes",
  ],
  ["a line break", "bob@example.com\r\nBcc: eve@example.com", "has a line break"],
  ["a line break in the name", '"Bob\n" <bob@example.com>', "has a line break"],
  ["a NUL", "bob\0@example.com", "has a control character"],
  ["a long local part", `${local64}l@example.com`, "has a local part of more than 64 octets"],
  ["a long local part in octets", `${"山".repeat(22)}@example.com`, "has a local part of more than 64 octets"],
  ["a long label", `bob@${label63}d.com`, "has a malformed domain"],
  ["a long address", `${local64}@${`${label63}.`.repeat(3)}com`, "is longer than 254 octets"],
  ["a long name", `${"n ".repeat(400)} <bob@example.com>`, "is longer than 600 characters"],
  ["a hyphen at the start of a label", "bob@-example.com", "has a malformed domain"],
  ["an underscore in the domain", "bob@ex_ample.com", "has a malformed domain"],
  ["an empty label", "bob@example..com", "has a malformed domain"],
  ["a dot at the end of the domain", "bob@example.com.", "has a malformed domain"],
  ["a bare IP address", "bob@192.0.2.1", "has a bare IP address as its domain: put it in [brackets]"],
  ["a literal that is no address", "bob@[example]", "has a domain literal that is no IP address"],
  ["an angle bracket in quotes", '"a<b"@example.com', "has an angle bracket in its local part"],
];

describe("parseMailbox refuses", () => {
  test.each(bad)("%s: %j", (_, text, rule) => {
    expect(parseMailbox(text)).toEqual({ ok: false, rule });
  });
});

test("a bare address has no name", () => {
  expect(parseAddress("Bob <bob@example.com>")).toMatchObject({ ok: false });
  expect(parseAddress('"Bob" <bob@example.com>')).toEqual({ ok: false, rule: "is not a bare mail address" });
});

test("one recipient has one key in any form of its domain", () => {
  expect(addressKey("taro@例え.JP")).toBe(addressKey("taro@xn--r8jz45g.jp"));
  expect(addressKey("Taro@example.jp")).not.toBe(addressKey("taro@example.jp"));
});

test("a list splits at commas outside quotes, comments and brackets", () => {
  expect(splitList('"a, b" <a@x.jp>, c@x.jp (d, e), <f@x.jp>,, g@[IPv6:::1],')).toEqual({
    ok: true,
    value: ['"a, b" <a@x.jp>', "c@x.jp (d, e)", "<f@x.jp>", "g@[IPv6:::1]"],
  });
  expect(splitList("staff: a@x.jp, b@x.jp;")).toMatchObject({ ok: false });
});

test("a hostile text is answered quickly", () => {
  const startedAt = performance.now();
  for (const part of ["(", "(a ", '"', "a (c) ", "<", "\\", "@", "a.", " "])
    parseMailbox(part.repeat(599 / part.length));
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
