import { digestOf } from "../../../src/submission/index.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  compose,
  defaultLimits,
  formatProblems,
  messageIdentity,
  parseSubmission,
} from "../../../src/message/index.ts";
import { messageSchema } from "../../../src/message/schema.ts";
import { decode, headerNames } from "./fixture.ts";

const knownKey = fc.constantFrom(...Object.keys(messageSchema.shape));

/** Text with what breaks mail in it more often than chance would have it. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.constantFrom(
        "\r\n",
        "\n",
        "\r",
        "\0",
        "\t",
        " ",
        "Bcc: eve@hidden.example",
        "\r\n.\r\n",
        '"',
        "<",
        ">",
        ",",
        "(",
        "=?utf-8?q?=0D=0A?=",
        "\u2028",
        "\ud800",
        "東京",
        "x".repeat(400),
        " ".repeat(40),
      ),
    ),
    { maxLength: 6 },
  )
  .map((pieces) => pieces.join(""));

// oxlint-disable-next-line no-control-regex -- control characters are what is taken out
const refused = /[\0-\x08\x0a-\x1f\x7f]/g;

/** The same without what is refused, so that most messages get through to be composed. */
const line = hostile.map((text) => text.replaceAll(refused, " "));

const address = fc
  .tuple(
    fc.stringMatching(/^[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,10}$/),
    fc.constantFrom("example.jp", "例え.jp", "x.example"),
  )
  .map(([local, domain]) => `${local}@${domain}`);
const mailbox = fc.oneof(address, fc.record({ name: line, address }));

const message = fc.record(
  {
    from: mailbox,
    to: fc.array(mailbox, { minLength: 1, maxLength: 4 }),
    cc: fc.array(mailbox, { maxLength: 3 }),
    bcc: fc.array(
      fc.stringMatching(/^[a-z]{8}$/).map((local) => `${local}@hidden.example`),
      { maxLength: 3 },
    ),
    replyTo: mailbox,
    subject: line,
    text: hostile,
    html: hostile,
    headers: fc.dictionary(
      fc.stringMatching(/^X-[A-Za-z]{1,8}$/),
      fc.oneof(
        line,
        fc.string({ maxLength: 2_000 }).map((text) => text.replaceAll(refused, " ")),
      ),
    ),
    attachments: fc.array(fc.record({ content: hostile, filename: line }, { requiredKeys: ["content"] }), {
      maxLength: 2,
    }),
  },
  { requiredKeys: ["from", "to", "text"] },
);

const allowedNames = new Set(
  "x-mailover-id from to cc reply-to subject message-id date mime-version content-type content-transfer-encoding content-disposition".split(
    " ",
  ),
);

const origin = { queue: "mail", jobId: "1", createdAt: new Date(0) };

describe("parseSubmission", () => {
  test("answers to any JSON at all, and says why in one line", () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(knownKey, fc.oneof(fc.jsonValue(), hostile, fc.array(hostile))),
    );
    fc.assert(
      fc.property(value, (data) => {
        const parsed = parseSubmission(data, defaultLimits);
        if (parsed.ok) return;
        expect(parsed.problems.length).toBeGreaterThan(0);
        // oxlint-disable-next-line no-control-regex -- a control character is what must not be there
        expect(formatProblems(parsed.problems)).not.toMatch(/[\0-\x1f]/);
      }),
      { numRuns: 500 },
    );
  });

  test("answers to any text as a mailbox or as a raw message", () => {
    fc.assert(
      fc.property(hostile, hostile, (text, body) => {
        parseSubmission({ from: text, to: text, bcc: [text], text: "" }, defaultLimits);
        parseSubmission({ raw: `From: ${text}\r\n\r\n${body}`, envelope: { to: text } }, defaultLimits);
      }),
      { numRuns: 500 },
    );
  });
});

describe("whatever is accepted", () => {
  test("becomes a message with no header field but those it should have, in lines a server takes", async () => {
    let composedCount = 0;
    await fc.assert(
      fc.asyncProperty(message, async (data) => {
        const parsed = parseSubmission(data, defaultLimits);
        if (!parsed.ok) return;
        const identity = messageIdentity(parsed.submission, { ...origin, digest: digestOf(data) });
        const composed = await compose(parsed.submission, identity, defaultLimits);
        if (!composed.ok) throw new Error(formatProblems(composed.problems));
        composedCount += 1;
        const { mime, envelope } = composed.message;
        const own = new Set(Object.keys(data.headers ?? {}).map((name) => name.toLowerCase()));
        for (const name of headerNames(mime))
          expect(allowedNames.has(name.toLowerCase()) || own.has(name.toLowerCase())).toBe(true);
        for (const text of mime.toString("latin1").split("\r\n")) {
          expect(text).not.toMatch(/[\r\n\0]/);
          expect(text.length).toBeLessThanOrEqual(998);
        }
        const header = mime.toString("latin1", 0, mime.indexOf("\r\n\r\n"));
        expect(header).not.toMatch(/\r\n[ \t]*\r\n/);
        const email = await decode(mime);
        expect(email.bcc ?? []).toEqual([]);
        expect([...(email.to ?? [])].length).toBe(data.to.length);
        for (const recipient of data.bcc ?? []) {
          expect(envelope.rcptTo).toContain(recipient);
          expect(header).not.toContain(recipient);
        }
      }),
      { numRuns: 300 },
    );
    expect(composedCount).toBeGreaterThan(150);
  });

  test("as a raw message has no Bcc, and its body stays but for its line ends", async () => {
    const field = fc
      .tuple(fc.constantFrom("Bcc", "bcc", "BCC", "To", "X-A", "Resent-Bcc"), line)
      .map(([name, value]) => `${name}: ${value}\r\n`);
    await fc.assert(
      fc.asyncProperty(
        fc.array(field),
        fc.array(field),
        hostile.map((text) => text.replaceAll("\0", "")),
        async (before, after, body) => {
          const data = {
            raw: `${before.join("")}From: a@x.jp\r\n${after.join("")}\r\n${body}`,
            envelope: { to: "b@x.jp" },
          };
          const parsed = parseSubmission(data, defaultLimits);
          if (!parsed.ok) return;
          const composed = await compose(
            parsed.submission,
            messageIdentity(parsed.submission, { ...origin, digest: digestOf(data) }),
            defaultLimits,
          );
          if (!composed.ok) throw new Error(formatProblems(composed.problems));
          const text = composed.message.mime.toString();
          const end = text.indexOf("\r\n\r\n");
          expect(headerNames(composed.message.mime).filter((name) => /bcc/i.test(name))).toEqual([]);
          const want = Buffer.from(body)
            .toString()
            .replace(/\r\n|\r|\n/g, "\r\n");
          expect(text.slice(end + 4).replace(/\r\n$/, "")).toBe(want.replace(/\r\n$/, ""));
        },
      ),
      { numRuns: 300 },
    );
  });
});
