import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { messageSchema } from "../../../src/message/schema.ts";
import { digestOf, fieldKind, removalOf, seal, strip } from "../../../src/submission/index.ts";
import { anyData, keyring, message, stored } from "./messages.ts";

const removedAt = new Date("2026-11-24T12:00:00Z");
const digest = createHash("sha256").update(JSON.stringify(message)).digest("hex");
const removal = { bodyRemovedAt: "2026-11-24T12:00:00.000Z", digest };

const rest = {
  to: "Bob <bob@fabrikam.com>",
  class: "otp",
  from: "noreply@contoso.com",
  expiresAt: "2026-11-24T12:00:00Z",
  tags: ["login"],
};

describe("what is left of a job's data", () => {
  const cases: readonly [of: string, data: object, left: object][] = [
    ["a plain one", message, { ...rest, ...removal }],
    ["a sealed one", seal(message, keyring), { ...rest, ...removal }],
    [
      "one whose addresses were sealed",
      seal(message, keyring, { addresses: true }),
      { class: rest.class, expiresAt: rest.expiresAt, tags: rest.tags, ...removal },
    ],
    ["one that was stripped", { ...rest, ...removal, digest: "earlier" }, { ...rest, ...removal, digest: "earlier" }],
  ];
  test.each(cases)("%s", (_, data, left) => {
    expect(strip(stored(data), { digest: digestOf(message), removedAt })).toEqual(left);
  });

  test("says that something was removed", () => {
    expect(removalOf(strip(message, { digest: digestOf(message), removedAt }))).toEqual(removal);
  });

  test.each([[message], [{ ...message, digest: 1, bodyRemovedAt: removal.bodyRemovedAt }], [null], ["text"]])(
    "nothing was removed of %j",
    (data) => {
      expect(removalOf(data)).toBeNull();
    },
  );

  test("holds nothing of the content, whatever the fields", () => {
    fc.assert(
      fc.property(anyData, fc.uuid(), (data, secret) => {
        const before = { ...data, subject: secret, raw: secret, newField: [secret] };
        expect(JSON.stringify(strip(before, { digest: digestOf(before), removedAt }))).not.toContain(secret);
      }),
    );
  });
});

describe("each field of a message is content, addresses or readable", () => {
  const kinds: Record<string, ReturnType<typeof fieldKind>> = {
    from: "addresses",
    to: "addresses",
    cc: "addresses",
    bcc: "addresses",
    replyTo: "addresses",
    envelope: "addresses",
    subject: "content",
    text: "content",
    html: "content",
    headers: "content",
    attachments: "content",
    icalEvent: "content",
    raw: "content",
    class: "readable",
    expiresAt: "readable",
    sendAt: "readable",
    tags: "readable",
    tenant: "readable",
    metadata: "readable",
    providers: "readable",
    onUncertain: "readable",
    whenThrottled: "readable",
    dsn: "readable",
    idempotencyKey: "readable",
  };
  test.each(Object.keys(messageSchema.shape))("%s", (name) => {
    expect(fieldKind(name)).toBe(kinds[name]);
  });

  test.each(["sealed", "toString", "__proto__", "fieldOfTomorrow"])("%s, being on no list, is content", (name) => {
    expect(fieldKind(name)).toBe("content");
  });
});
