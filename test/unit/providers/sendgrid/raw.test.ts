import { createTransport } from "nodemailer";
import type { SendMailOptions } from "nodemailer";
import { describe, expect, test } from "vitest";
import type { MessageParts } from "../../../../src/core/index.ts";
import { rawParts } from "../../../../providers/sendgrid/raw-mapping.ts";
import { rawObstacle } from "../../../../providers/sendgrid/raw-structure.ts";
import { rawMessage } from "./messages.ts";

async function compose(mail: SendMailOptions): Promise<string> {
  const transport = createTransport({ streamTransport: true, buffer: true, newline: "windows" });
  const { message } = await transport.sendMail({ from: "a@contoso.com", to: "b@example.com", ...mail });
  return message.toString();
}

async function partsOf(mime: string): Promise<MessageParts> {
  const message = rawMessage(mime);
  expect(rawObstacle(message)).toBeNull();
  const parts = await rawParts(message);
  if (typeof parts === "string") throw new Error(parts);
  return parts;
}

const pdf = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 256));
const picture = Buffer.from([137, 80, 78, 71, 0, 255]);
const calendar = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:会議\r\nEND:VCALENDAR\r\n";

describe("what mail programs compose comes out whole", () => {
  test("headers, addresses and Japanese text", async () => {
    const mime = await compose({
      to: [{ name: "山田太郎", address: "taro@example.jp" }, "b@example.com"],
      cc: "C <c@example.com>",
      replyTo: "help@contoso.com",
      subject: "請求書のご案内",
      text: "いつもお世話になっております。\n",
      headers: { "List-ID": "<billing.contoso.com>" },
    });
    const parts = await partsOf(mime);
    expect(parts.to).toEqual([
      { name: "山田太郎", address: "taro@example.jp" },
      { name: null, address: "b@example.com" },
    ]);
    expect(parts.cc).toEqual([{ name: "C", address: "c@example.com" }]);
    expect(parts.replyTo).toEqual([{ name: null, address: "help@contoso.com" }]);
    expect(parts.subject).toBe("請求書のご案内");
    expect(parts.text?.trim()).toBe("いつもお世話になっております。");
    expect(parts.html).toBeNull();
    expect(parts.headers).toContainEqual({ name: "List-ID", value: "<billing.contoso.com>" });
  });

  test("alternatives with a picture, a calendar and files", async () => {
    const mime = await compose({
      text: "plain",
      html: '<img src="cid:logo@contoso">',
      icalEvent: { method: "REQUEST", content: calendar },
      attachments: [
        { filename: "logo.png", content: picture, cid: "logo@contoso", contentDisposition: "inline" },
        { filename: "請求書.pdf", content: pdf },
        { filename: "notes.txt", content: "a note" },
      ],
    });
    const parts = await partsOf(mime);
    expect(parts.text?.trim()).toBe("plain");
    expect(parts.html?.trim()).toBe('<img src="cid:logo@contoso">');
    expect(parts.calendar).toMatchObject({ method: "REQUEST", content: calendar });
    const files = parts.attachments.map(({ filename, disposition, cid }) => [filename, disposition, cid]);
    expect(files).toEqual([
      ["logo.png", "inline", "logo@contoso"],
      ["請求書.pdf", "attachment", null],
      ["notes.txt", "attachment", null],
      ["invite.ics", "attachment", null],
    ]);
    expect(parts.attachments[0]?.content.equals(picture)).toBe(true);
    expect(parts.attachments[1]?.content.equals(pdf)).toBe(true);
    expect(parts.attachments[3]?.content.toString()).toBe(calendar);
  });

  test("an old charset", async () => {
    const parts = await partsOf(`
From: a@contoso.com
Subject: =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=
Content-Type: text/plain; charset=iso-2022-jp

\x1b$BF|K\\\x1b(B
`);
    expect(parts.subject).toBe("日本");
    expect(parts.text?.trim()).toBe("日本");
  });

  test("a device's page with no text at all", async () => {
    const parts = await partsOf(`
From: scanner@contoso.com
Content-Type: application/pdf; name="scan.pdf"
Content-Transfer-Encoding: base64

JVBERg==
`);
    expect(parts).toMatchObject({ text: null, html: null, subject: "" });
    expect(parts.attachments).toMatchObject([{ filename: "scan.pdf", contentType: "application/pdf" }]);
  });
});

const part = (type: string, body = "x", more = ""): string => `Content-Type: ${type}\n${more}\n${body}\n`;
const multipart = (type: string, ...parts: string[]): string =>
  `Content-Type: multipart/${type}; boundary="b-${type.length}"\n\n${parts
    .map((text) => `--b-${type.length}\n${text}`)
    .join("")}--b-${type.length}--\n`;
const signature = part("application/pkcs7-signature");
const inMixed = (text: string): string => multipart("mixed", part("text/plain"), text);

describe("declined, with the reason", () => {
  test.each([
    ["signed", multipart("signed", part("text/plain"), signature), /is signed/],
    ["signed, within", inMixed(multipart("signed", part("text/plain"), signature)), /is signed/],
    ["encrypted with PGP", multipart("encrypted", part("application/pgp-encrypted"), part("a/b")), /is encrypted/],
    ["S/MIME as a whole", part("application/pkcs7-mime; smime-type=enveloped-data"), /encrypted or signed/],
    ["PGP within the text", part("text/plain", "-----BEGIN PGP SIGNED MESSAGE-----"), /PGP/],
    ["a fragment", part("message/partial; id=1; number=1"), /message\/partial/],
    ["an attached message", inMixed(part("message/rfc822", "Subject: x\n\nx")), /message\/rfc822/],
    ["a delivery report", multipart("report", part("text/plain"), part("message/delivery-status")), /report/],
    ["several texts", inMixed(part("text/plain", "footer")), /several texts/],
    ["two alternatives of a type", multipart("alternative", part("text/html"), part("text/html")), /several texts/],
    ["another alternative", multipart("alternative", part("text/plain"), part("text/x-amp-html")), /x-amp-html/],
    ["mixed within alternatives", multipart("alternative", inMixed(part("image/png"))), /multipart\/mixed/],
    ["a related part without an id", multipart("related", part("text/html"), part("image/png")), /Content-ID/],
    ["an empty attachment", inMixed("Content-Type: image/png\n\n"), /empty attachment/],
    ["an unknown charset", part("text/plain; charset=x-klingon"), /x-klingon/],
    ["an unknown encoding", part("text/plain", "x", "Content-Transfer-Encoding: x-uuencode\n"), /x-uuencode/],
    ["a header twice", `X-A: 1\nX-A: 2\n${part("text/plain")}`, /X-A/],
    ["a message that was resent", `Resent-From: x@example.com\n${part("text/plain")}`, /Resent-/],
  ])("%s", async (_what, mime, reason) => {
    const message = rawMessage(`From: a@contoso.com\n${mime}`);
    expect(rawObstacle(message)).toMatch(reason);
    expect(await rawParts(message)).toBe(rawObstacle(message));
  });

  test("nesting without end", () => {
    const nested = Array.from({ length: 40 }).reduce<string>(
      (inner, _, index) =>
        `Content-Type: multipart/mixed; boundary="n${index}"\n\n--n${index}\n${inner}\n--n${index}--\n`,
      part("text/plain"),
    );
    expect(rawObstacle(rawMessage(nested))).toMatch(/nested too deeply/);
  });
});

test("a message is parsed once", () => {
  const message = rawMessage(part("text/plain"));
  expect(rawParts(message)).toBe(rawParts(message));
});
