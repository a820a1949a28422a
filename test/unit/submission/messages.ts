import fc from "fast-check";
import { createKeyring } from "../../../src/submission/index.ts";

/** 32 bytes that are all this one, in base64. */
export function keyText(byte: number): string {
  return Buffer.alloc(32, byte).toString("base64");
}

export const keyring = createKeyring({ primary: "2026-11", keys: { "2026-11": keyText(1) } });

export const message = {
  to: "Bob <bob@fabrikam.com>",
  subject: "Your code",
  class: "otp",
  from: "noreply@contoso.com",
  text: "It is 845 297.",
  html: "<p>It is <b>845 297</b>.</p>",
  expiresAt: "2026-11-24T12:00:00Z",
  attachments: [{ filename: "terms.txt", content: "Be good." }],
  tags: ["login"],
};

/** A job's data as JSON brings it: fields of messages and of no message, in any order, of any value. */
export const anyData: fc.Arbitrary<Record<string, unknown>> = fc
  .uniqueArray(
    fc.tuple(
      fc.oneof(
        fc.constantFrom("from", "to", "subject", "text", "html", "headers", "attachments", "raw", "class", "tags"),
        fc.constantFrom("metadata", "envelope", "sendAt", "sealed", "digest", "7", "0", "__proto__", ""),
        fc.string({ unit: "binary" }),
      ),
      fc.jsonValue({ maxDepth: 3, stringUnit: "binary" }),
    ),
    { selector: ([name]) => name, maxLength: 12 },
  )
  .map((entries) => JSON.parse(JSON.stringify(Object.fromEntries(entries))) as Record<string, unknown>);

/** What Redis gives back of what it was given. */
export function stored(data: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(data)) as Record<string, unknown>;
}
