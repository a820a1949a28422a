import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { asciiOnly, excerpt, headerField, oneLine, paragraph, typedAddress } from "../../../src/message/report-line.ts";
import { decode } from "./fixture.ts";
import { attemptOf, rawMessage, recipient, reportMime } from "./report-fixture.ts";
import { readReport } from "./report-reader.ts";

const piece = fc.constantFrom(
  "\r\n",
  "\n",
  "\r",
  "\r\n\r\n",
  " \r\n \r\n",
  "\0",
  "\u2028",
  "\u0085",
  "\ud800",
  "\t",
  "550 5.1.1 ",
  "250-2.1.5 ",
  "Final-Recipient: rfc822; eve@example.com",
  "Action: delivered",
  "Status: 2.0.0",
  "Bcc: eve@example.com",
  "--report-",
  "Content-Type: text/html",
  "=?utf-8?q?a=0D=0ABcc:_eve?=",
  "=0D=0A",
  "宛先",
  "\u{1f600}",
  "x".repeat(1_500),
  "\u{1f600}".repeat(300),
  ".",
);
const hostile = fc.oneof(
  fc
    .array(fc.oneof(piece, fc.string({ unit: "binary", maxLength: 12 })), { maxLength: 12 })
    .map((parts) => parts.join("")),
  fc.string({ unit: "binary" }),
);

describe("whatever a server answers", () => {
  test("the report stays a report: no field, group or part is added, and it says what the answer was", async () => {
    const original = await rawMessage();
    await fc.assert(
      fc.asyncProperty(hostile, hostile, fc.boolean(), async (reply, other, givenUp) => {
        const one = recipient({ reason: reply, provider: givenUp ? null : "relay" });
        const two = recipient({ address: "hanako@example.jp", reason: other });
        const mime = await reportMime(original, { recipients: [one, two], attempts: [attemptOf({ reply })] });
        const { header, text, recipients } = readReport(mime);
        expect([...header.keys()].toSorted()).toEqual(expectedNames);
        expect(recipients.map((fields) => fields.get("Final-Recipient"))).toEqual([
          "rfc822; taro@example.jp",
          "rfc822; hanako@example.jp",
        ]);
        expect(text.match(/^\S.*$/gm)).toEqual([
          "Your message could not be delivered to any of its 2 recipients.",
          "taro@example.jp",
          "hanako@example.jp",
        ]);
        const diagnostic = recipients[1]!.get("Diagnostic-Code")?.replace(/^[\w-]+; /, "") ?? "";
        expect(diagnostic.replaceAll(" ", "")).toBe(asciiOnly(excerpt(other)).replaceAll(" ", ""));
        expect((await decode(mime)).text?.replaceAll(/\s/g, "")).toContain(excerpt(other).replaceAll(/\s/g, ""));
      }),
      { numRuns: 300 },
    );
  });

  test("a message's own subject adds nothing either", async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (subject) => {
        const word = `=?utf-8?b?${Buffer.from(subject).toString("base64")}?=`;
        const { header } = readReport(await reportMime(await rawMessage(`Subject: ${word}\r\n`)));
        expect([...header.keys()].toSorted()).toEqual(expectedNames);
      }),
      { numRuns: 200 },
    );
  });

  test("a line is one line, and no line of a field or paragraph is blank or begins like another", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(oneLine(text)).not.toMatch(/[\r\n\0\u2028\u2029\u0085]/);
        expect(headerField("X-A", text)).toMatch(/^X-A:[^\r\n]*(?:\r\n [^\r\n]*[^\s][^\r\n]*)*$/);
        for (const part of paragraph(text, "    ").split("\r\n")) expect(part).toMatch(/^ {4}/);
      }),
    );
  });

  test("a field comes out of its folds as it was, where no word is too long for a line", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const line = oneLine(text);
        fc.pre(!/\S{901}/u.test(line));
        expect(headerField("X-A", text).replaceAll("\r\n", "")).toBe(`X-A: ${line}`);
      }),
    );
  });

  test("an address in another script can be read back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (text) => {
        const [, type, written = ""] = /^(rfc822|utf-8); (.*)$/.exec(typedAddress(text)) ?? [];
        const back = written.replace(/\\x\{([0-9A-F]+)\}/g, (_, hex: string) =>
          String.fromCodePoint(Number.parseInt(hex, 16)),
        );
        expect(type === "utf-8" ? back : written).toBe(oneLine(text));
      }),
    );
  });
});

const expectedNames = [
  "Auto-Submitted",
  "Content-Type",
  "Date",
  "From",
  "In-Reply-To",
  "MIME-Version",
  "Message-ID",
  "References",
  "Subject",
  "To",
  "X-Mailover-Id",
];
