import { describe, expect, test } from "vitest";
import { addressRecipients, apiMailbox, asciiAddress } from "../../../../providers/sendgrid/addressing.ts";
import type { Addressing, HeaderMailboxes } from "../../../../providers/sendgrid/addressing.ts";
import { box } from "./messages.ts";

const ada = box("ada@example.com", "Ada");
const bob = box("bob@example.com", "Bob");
const cid = box("cid@example.com", "Cid");

const cases: readonly [rule: string, header: Partial<HeaderMailboxes>, recipients: string[], want: Addressing[]][] = [
  [
    "header and envelope agree",
    { to: [ada], cc: [bob], bcc: [cid] },
    ["ada@example.com", "bob@example.com", "cid@example.com"],
    [
      {
        to: [{ email: "ada@example.com", name: "Ada" }],
        cc: [{ email: "bob@example.com", name: "Bob" }],
        bcc: [{ email: "cid@example.com", name: "Cid" }],
      },
    ],
  ],
  [
    "a mailbox that has its copy already gets no second one",
    { to: [ada, bob] },
    ["bob@example.com"],
    [{ to: [{ email: "bob@example.com", name: "Bob" }] }],
  ],
  [
    "a recipient the header does not name is blind",
    { to: [ada] },
    ["ada@example.com", "hidden@example.com"],
    [{ to: [{ email: "ada@example.com", name: "Ada" }], bcc: [{ email: "hidden@example.com" }] }],
  ],
  [
    "without a To the Cc move up",
    { to: [ada], cc: [bob], bcc: [cid] },
    ["bob@example.com", "cid@example.com"],
    [{ to: [{ email: "bob@example.com", name: "Bob" }], bcc: [{ email: "cid@example.com", name: "Cid" }] }],
  ],
  [
    "blind recipients alone each get their own message",
    { to: [ada], bcc: [bob, cid] },
    ["bob@example.com", "cid@example.com"],
    [{ to: [{ email: "bob@example.com", name: "Bob" }] }, { to: [{ email: "cid@example.com", name: "Cid" }] }],
  ],
  [
    "nobody comes twice, whatever the case",
    { to: [ada, box("ADA@Example.com")], cc: [ada], bcc: [ada] },
    ["Ada@example.com", "ada@EXAMPLE.com"],
    [{ to: [{ email: "ada@example.com", name: "Ada" }] }],
  ],
  [
    "domains go as Punycode, and match however they are written",
    { to: [box("ada@例え.jp", "エイダ")] },
    ["ada@xn--r8jz45g.jp"],
    [{ to: [{ email: "ada@xn--r8jz45g.jp", name: "エイダ" }] }],
  ],
  [
    "a comma in a name does not end the mailbox",
    { to: [box("ada@example.com", 'Lovelace, "Ada"')] },
    ["ada@example.com"],
    [{ to: [{ email: "ada@example.com", name: String.raw`"Lovelace, \"Ada\""` }] }],
  ],
];

describe("recipients of one transmission", () => {
  test.each(cases)("%s", (_rule, header, recipients, want) => {
    expect(addressRecipients({ to: [], cc: [], bcc: [], ...header }, recipients)).toEqual(want);
  });

  test("every recipient is addressed exactly once, and no one else", () => {
    const recipients = Array.from({ length: 30 }, (_, index) => `r${index}@example.com`);
    const header = { to: recipients.slice(0, 8).map((r) => box(r)), cc: [box("old@example.com")], bcc: [] };
    for (let from = 0; from < recipients.length; from += 1) {
      const sent = recipients.slice(from);
      const addressed = addressRecipients(header, sent).flatMap(({ to, cc = [], bcc = [] }) => [...to, ...cc, ...bcc]);
      expect(addressed.map(({ email }) => email).toSorted()).toEqual(sent.toSorted());
    }
  });
});

test("an address whose domain has no Punycode stays as it is", () => {
  expect(asciiAddress("ada@exa mple.com")).toBe("ada@exa mple.com");
});

test("a name outside the recipients is not quoted", () => {
  expect(apiMailbox(box("a@example.com", "Contoso, Inc."))).toEqual({ email: "a@example.com", name: "Contoso, Inc." });
});
