import { describe, expect, test } from "vitest";
import { encodeHeaderValue } from "../../../../providers/sendgrid/encoded-word.ts";
import { apiHeaders, repeatedHeader } from "../../../../providers/sendgrid/headers.ts";
import { messageWith } from "./messages.ts";

const header = (name: string, value = "x"): { name: string; value: string } => ({ name, value });

describe("headers", () => {
  test("the app's own go along, beside the Message-ID and Mailover's id", () => {
    expect(apiHeaders(messageWith(), [header("List-Unsubscribe", "<https://example.com/u>")])).toEqual({
      "List-Unsubscribe": "<https://example.com/u>",
      "Message-ID": "<01HMAILOVER@contoso.com>",
      "X-Mailover-Id": "01HMAILOVER",
    });
  });

  test.each(
    [
      "To From Subject Reply-To CC BCC Received DKIM-Signature x-sg-id x-sg-eid",
      "Content-Type Content-Language MIME-Version Date ARC-Seal Return-Path",
      "message-id X-MAILOVER-ID",
    ].flatMap((names) => names.split(" ")),
  )("%s is not passed on", (name) => {
    const names = Object.keys(apiHeaders(messageWith(), [header(name), header(name)]));
    expect(names).toEqual(["Message-ID", "X-Mailover-Id"]);
  });

  test("a header that comes twice is found, but not among those left out", () => {
    expect(repeatedHeader([header("X-A"), header("x-b"), header("x-a")])).toBe("x-a");
    expect(repeatedHeader([header("Received"), header("Received"), header("X-A")])).toBeNull();
  });
});

describe("values beyond ASCII", () => {
  test("become encoded words of at most 75 characters that decode to the value", () => {
    const value = "請求書のご案内、".repeat(10);
    const words = encodeHeaderValue(value).split(" ");
    expect(words.length).toBeGreaterThan(1);
    expect(words.every((word) => word.length <= 75)).toBe(true);
    const decoded = words.map((word) => Buffer.from(/^=\?UTF-8\?B\?(.+)\?=$/.exec(word)![1]!, "base64").toString());
    expect(decoded.join("")).toBe(value);
  });

  test("ASCII stays as it is", () => {
    expect(encodeHeaderValue("plain value")).toBe("plain value");
  });
});
