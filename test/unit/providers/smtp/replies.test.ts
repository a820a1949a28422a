import { describe, expect, test } from "vitest";
import type { Evidence } from "../../../../src/core/index.ts";
import { evidenceOf, interruptionEvidence } from "../../../../providers/smtp/evidence.ts";
import { remoteIdOf } from "../../../../providers/smtp/remote-id.ts";

describe("the server's own id", () => {
  const cases: readonly [server: string, reply: string, id: string | null][] = [
    ["Postfix", "250 2.0.0 Ok: queued as 4XyZ12abcDz9", "4XyZ12abcDz9"],
    ["SendGrid", "250 Ok: queued as q1w2-E3r4_T5", "q1w2-E3r4_T5"],
    [
      "Exchange",
      "250 2.6.0 <1@mailover.test> [InternalId=1234, Hostname=x.prod.outlook.com] 9876 bytes in 0.1 Queued mail for delivery",
      "<1@mailover.test>",
    ],
    ["Exchange Online", "250 2.0.0 OK <a@b.prod.outlook.com> [Hostname=b.prod.outlook.com]", "<a@b.prod.outlook.com>"],
    ["Exim", "250 OK id=1tABCD-000000001ab-2xyz", "1tABCD-000000001ab-2xyz"],
    [
      "Gmail",
      "250 2.0.0 OK  1766666666 d9443c01a7336-2a0b3c4d5e6sm123.45 - gsmtp",
      "d9443c01a7336-2a0b3c4d5e6sm123.45",
    ],
    ["Sendmail", "250 2.0.0 4B1CDE23000123 Message accepted for delivery", "4B1CDE23000123"],
    ["Amazon SES", "250 Ok 0100018b5c3c0a4f-7f3b8c1d-4c1e-000000", "0100018b5c3c0a4f-7f3b8c1d-4c1e-000000"],
    ["qmail", "250 ok 1766666666 qp 12345", "1766666666 qp 12345"],
    ["several lines", "250-2.0.0 hello\n250 2.0.0 Ok: queued as ABC", "ABC"],
    ["no id", "250 OK: message queued", null],
    ["no words", "250", null],
  ];
  test.each(cases)("of %s", (_server, reply, id) => {
    expect(remoteIdOf(reply)).toBe(id);
  });
});

describe("evidence", () => {
  const cases: readonly [rule: string, error: object, evidence: Evidence][] = [
    [
      "a reply counts, in the stage of its command",
      { code: "EENVELOPE", command: "RCPT TO", response: "550-5.1.1 No such\n550 5.1.1 user", message: "x" },
      {
        stage: "rcpt",
        text: "550-5.1.1 No such\n550 5.1.1 user",
        replyCode: 550,
        status: "5.1.1",
        errorCode: "EENVELOPE",
      },
    ],
    [
      "the answer to DATA is not the one to the content",
      { code: "EENVELOPE", command: "DATA", response: "451 Later" },
      { stage: "data", text: "451 Later", replyCode: 451, errorCode: "EENVELOPE" },
    ],
    [
      "the answer to the content is not the one to DATA",
      { code: "EMESSAGE", command: "DATA", response: "554 5.6.0 No" },
      { stage: "reply", text: "554 5.6.0 No", replyCode: 554, status: "5.6.0", errorCode: "EMESSAGE" },
    ],
    [
      "a mechanism belongs to auth",
      { code: "EAUTH", command: "AUTH CRAM-MD5", response: "535 5.7.8 No" },
      { stage: "auth", text: "535 5.7.8 No", replyCode: 535, status: "5.7.8", errorCode: "EAUTH" },
    ],
    [
      "without a reply the system's code and our stage count",
      { code: "ESOCKET", originalCode: "ECONNRESET", command: "CONN", message: "read ECONNRESET" },
      { stage: "content", text: "read ECONNRESET", errorCode: "ECONNRESET" },
    ],
    [
      "what is no reply is none",
      { code: "EMESSAGE", command: "DATA", response: "?garbage?", message: "Message failed" },
      { stage: "content", text: "Message failed", errorCode: "EMESSAGE" },
    ],
    [
      "an error of several addresses has all their messages",
      {
        code: "ECONNREFUSED",
        message: "",
        errors: [new Error("connect ECONNREFUSED ::1:25"), new Error("and 127.0.0.1:25")],
      },
      { stage: "content", text: "connect ECONNREFUSED ::1:25; and 127.0.0.1:25", errorCode: "ECONNREFUSED" },
    ],
  ];
  test.each(cases)("%s", (_rule, error, evidence) => {
    expect(evidenceOf(error, "content", [])).toEqual(evidence);
  });

  test("holds no secret, with a reply and without", () => {
    expect(evidenceOf({ response: "535 5.7.8 s3cret?", command: "AUTH LOGIN" }, "auth", ["s3cret"]).text).toBe(
      "535 5.7.8 ***?",
    );
    expect(evidenceOf(new Error("bad s3cret"), "auth", ["s3cret"]).text).toBe("bad ***");
  });

  test("of an attempt that was stopped names the stage, or our limit", () => {
    expect(interruptionEvidence(new Error("private"), "mail")).toEqual({
      stage: "mail",
      errorCode: "ABORTED",
      text: "the attempt was stopped in stage mail",
    });
    const overdue = { errorCode: "ETIMEDOUT", text: "too long" } as const;
    expect(interruptionEvidence(overdue, "mail")).toEqual({ stage: "mail", ...overdue });
  });
});
