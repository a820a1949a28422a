import { describe, expect, test } from "vitest";

import type { DeliveryRecord, Message } from "../../../src/core/index.ts";
import { composeReport } from "../../../src/message/index.ts";
import { accept, composeData, decode, refusal } from "./fixture.ts";
import {
  attemptOf,
  now,
  rawMessage,
  recipient,
  recordOf,
  report,
  reporter,
  reportMime,
  secret,
} from "./report-fixture.ts";
import { readReport } from "./report-reader.ts";

describe("the field dsn", () => {
  const data = { from: "a@contoso.com", to: "b@example.jp", text: "" };
  test.each([
    [{}, false],
    [{ dsn: null }, false],
    [{ dsn: false }, false],
    [{ dsn: true }, true],
  ])("of %j is %j", (given, want) => {
    expect(accept({ ...data, ...given }).dsn).toBe(want);
  });

  test("is no object, as nodemailer's is", () => {
    expect(refusal({ ...data, dsn: { notify: "failure" } })).toBe("dsn: is not true or false");
  });
});

describe("no report is due", () => {
  const waiting = recipient({ status: "pending", provider: null });
  const cases: readonly [rule: string, record: Partial<DeliveryRecord>][] = [
    ["when all were reached", { status: "relayed", recipients: [recipient({ status: "relayed", reason: null })] }],
    ["while some still wait", { status: "deferred", recipients: [recipient(), waiting] }],
    ["while it is held", { status: "held", recipients: [recipient(), waiting] }],
    ["when it was cancelled", { status: "cancelled" }],
  ];
  test.each(cases)("%s", async (_, record) => {
    expect(report(await rawMessage(), record)).toBeNull();
  });

  const senders: readonly [rule: string, from: string][] = [
    ["to the null sender", ""],
    ["to the address that reports are from", "mailer-daemon@CONTOSO.com"],
  ];
  test.each(senders)("%s", async (_, from) => {
    expect(report(await rawMessage("", { from, to: ["taro@example.jp"] }))).toBeNull();
  });

  const automatic: readonly string[] = [
    "Auto-Submitted: auto-replied\r\n",
    "auto-submitted:\r\n Auto-Generated (by a machine)\r\n",
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n",
    "Content-Type:\r\n\tMultipart/Report; report-type=disposition-notification; boundary=b\r\n",
  ];
  test.each(automatic)("about %j", async (header) => {
    expect(report(await rawMessage(header))).toBeNull();
  });

  test("about a report, whoever it is handed in from", async () => {
    const { raw } = report(await rawMessage())!;
    const again = await composeData({
      raw,
      envelope: { from: "scanner@contoso.com", to: ["x@example.jp"] },
      dsn: true,
    });
    expect(report(again)).toBeNull();
  });
});

test.each(["Auto-Submitted: no\r\n", "Auto-Submitted: no (by hand)\r\n", "X-Note: Auto-Submitted: auto-replied\r\n"])(
  "a report is due about a person's mail: %j",
  async (header) => {
    expect(report(await rawMessage(header))).not.toBeNull();
  },
);

test("a report goes to the envelope sender from the null sender, through the queue like any message", async () => {
  const original = await rawMessage();
  const job = report(original)!;
  expect(job).toMatchObject({
    envelope: { from: "", to: ["scanner@contoso.com"] },
    class: "transactional",
    tags: ["delivery-report"],
    metadata: { reportOf: original.id },
  });
  expect(accept(job)).toMatchObject({ envelope: { mailFrom: "" }, from: reporter, dsn: false });
  const { header } = readReport(await reportMime(original));
  expect(Object.fromEntries(header)).toMatchObject({
    From: '"Mail Delivery" <mailer-daemon@contoso.com>',
    To: "<scanner@contoso.com>",
    Subject: "Undelivered: Scan",
    Date: "Tue, 24 Nov 2026 03:04:05 +0000",
    "Auto-Submitted": "auto-replied",
    "In-Reply-To": original.messageId,
    References: original.messageId,
    "MIME-Version": "1.0",
  });
  expect(header.get("Message-ID")).not.toBe(original.messageId);
});

test("a report says what happened to people and to machines, and returns the header without the body", async () => {
  const original = await rawMessage();
  const mime = await reportMime(original);
  const { text, message, recipients, original: header } = readReport(mime);
  expect(text.split("\r\n")).toEqual([
    "Your message could not be delivered to its recipient.",
    "",
    "    Subject: Scan",
    "    Date: Tue, 24 Nov 2026 00:00:00 +0000",
    `    Message-ID: ${original.messageId}`,
    "",
    "taro@example.jp",
    "    relay refused it: 550 5.1.1 No such user",
    "    Check the address for typing errors, or ask the recipient for the right",
    "    one.",
    "",
  ]);
  expect([...message]).toEqual([
    ["Reporting-MTA", "dns; mail.contoso.com"],
    ["X-Mailover-Id", original.id],
    ["Arrival-Date", "Tue, 24 Nov 2026 00:00:00 +0000"],
  ]);
  expect(recipients.map((fields) => [...fields])).toEqual([
    [
      ["Final-Recipient", "rfc822; taro@example.jp"],
      ["Action", "failed"],
      ["Status", "5.1.1"],
      ["Diagnostic-Code", "smtp; 550 5.1.1 No such user"],
      ["Last-Attempt-Date", "Tue, 24 Nov 2026 03:00:01 +0000"],
      ["X-Mailover-Provider", "relay"],
    ],
  ]);
  const end = original.mime.indexOf("\r\n\r\n");
  expect(header).toEqual(original.mime.subarray(0, end + 2));
  expect(mime.includes(secret)).toBe(false);
  expect(original.mime.includes(secret)).toBe(true);
});

test("only those who were not reached are reported, and the sender is told of the others", async () => {
  const reached = recipient({ address: "hanako@example.jp", status: "relayed", reason: null });
  const { text, recipients } = readReport(
    await reportMime(await rawMessage(), { status: "relayed", recipients: [reached, recipient()] }),
  );
  expect(text).toContain("could not be delivered to 1 of its 2 recipients.");
  expect(text).toContain("The other recipients are not affected");
  expect(text).not.toContain("hanako");
  expect(recipients.map((fields) => fields.get("Final-Recipient"))).toEqual(["rfc822; taro@example.jp"]);
});

test("the same end makes the same report, byte for byte", async () => {
  const original = await rawMessage();
  expect(report(original)).toEqual(report(original));
});

const japanese = "ご注文の確認:在庫が確保できました(長い件名は折り返されます)";

test.each<[rule: string, want: string, make: () => Promise<Message>]>([
  ["encoded words", japanese, () => composeData({ from: "a@contoso.com", to: "b@x.jp", subject: japanese, text: "" })],
  ["bare UTF-8", japanese, () => rawMessage(`Subject: ${japanese}\r\n`)],
  ["ISO-2022-JP", "山田", () => rawMessage("Subject: =?ISO-2022-JP?B?GyRCOzNFRBsoQg==?=\r\n")],
])("a Japanese original and reply are told in their own script: %s", async (_, want, make) => {
  const original = await make();
  const mime = await reportMime(original, { recipients: [recipient({ reason: "550 5.1.1 宛先が存在しません" })] });
  const { text, recipients, original: header } = readReport(mime);
  const email = await decode(mime);
  expect(email.subject).toBe(`Undelivered: ${want}`);
  expect(email.text).toContain(want);
  expect(text).toContain("550 5.1.1 宛先が存在しません");
  expect(recipients[0]!.get("Diagnostic-Code")).toMatch(/^smtp; 550 5\.1\.1 \\x\{5B9B\}\\x\{5148\}/);
  expect(header).toEqual(original.mime.subarray(0, original.mime.indexOf("\r\n\r\n") + 2));
});

test("another program reads the report", async () => {
  const email = await decode(await reportMime(await rawMessage()));
  expect(email).toMatchObject({
    from: { name: "Mail Delivery", address: "mailer-daemon@contoso.com" },
    to: [{ address: "scanner@contoso.com" }],
    subject: "Undelivered: Scan",
  });
  expect(email.text).toContain("taro@example.jp");
  const parts = email.attachments.map(({ mimeType, content }) => [
    mimeType,
    Buffer.from(content as ArrayBuffer).toString(),
  ]);
  expect(Object.fromEntries(parts)["message/delivery-status"]).toContain("Final-Recipient: rfc822; taro@example.jp");
  expect(Object.fromEntries(parts)["text/rfc822-headers"]).toContain("Subject: Scan");
});

test("addresses and names in any script are written as RFC 6533 and RFC 2047 have it", async () => {
  const original = await rawMessage("", { from: "山田@例え.jp", to: ["花子+a=b@例え.jp"] });
  const job = composeReport({
    original,
    record: recordOf({ recipients: [recipient({ address: "花子+a=b@例え.jp" })] }),
    reportingMta: "mail.contoso.com",
    from: { name: "配送の報告", address: "mailer-daemon@contoso.com" },
    now,
  })!;
  const mime = (await composeData(job)).mime;
  const { recipients } = readReport(mime);
  expect(recipients[0]!.get("Final-Recipient")).toBe(
    String.raw`utf-8; \x{82B1}\x{5B50}\x{2B}a\x{3D}b@\x{4F8B}\x{3048}.jp`,
  );
  expect(await decode(mime)).toMatchObject({
    from: { name: "配送の報告", address: "mailer-daemon@contoso.com" },
    to: [{ address: "山田@例え.jp" }],
  });
});

test("a hundred recipients are a hundred groups", async () => {
  const addresses = Array.from({ length: 100 }, (_, index) => `user${index}@example.jp`);
  const original = await rawMessage("", { from: "list@contoso.com", to: addresses });
  const { text, recipients } = readReport(
    await reportMime(original, { recipients: addresses.map((address) => recipient({ address })) }),
  );
  expect(text).toContain("could not be delivered to any of its 100 recipients.");
  expect(recipients.map((fields) => fields.get("Final-Recipient"))).toEqual(addresses.map((to) => `rfc822; ${to}`));
  for (const address of addresses) expect(text).toContain(`\r\n${address}\r\n`);
});

test("a message whose answer was lost is said to have perhaps arrived", async () => {
  const lost = attemptOf({ outcome: "uncertain", cause: "uncertain", stage: "reply", reply: "the connection broke" });
  const mime = await reportMime(await rawMessage(), {
    status: "expired",
    recipients: [recipient({ provider: null, reason: "it last waited because of relay: the connection broke" })],
    attempts: [lost],
  });
  const { text, recipients } = readReport(mime);
  expect(text.replaceAll(/\r\n {4}/g, " ")).toContain("so it may have arrived all the same.");
  expect(recipients[0]!.get("Diagnostic-Code")).toBe("x-mailover; the connection broke");
});
