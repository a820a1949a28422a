import { expect, test } from "vitest";

import { messageIdentity } from "../../../src/message/index.ts";
import { digestOf } from "../../../src/submission/index.ts";
import { accept, minimal } from "./fixture.ts";

const origin = { queue: "mail", jobId: "17", createdAt: new Date("2026-11-24T00:00:00Z"), digest: digestOf(minimal) };

test("the identity is the same each time, also from data that went through JSON", () => {
  const first = messageIdentity(accept(minimal), origin);
  const again = messageIdentity(accept(minimal), { ...origin, digest: digestOf(JSON.parse(JSON.stringify(minimal))) });
  expect(again).toEqual(first);
  expect(first.id).toMatch(/^[0-9a-v]{26}$/);
  expect(first.messageId).toBe(`<${first.id}@contoso.com>`);
  expect(first.date).toEqual(origin.createdAt);
});

test.each([
  ["the queue", { queue: "mail2" }],
  ["the job's id", { jobId: "18" }],
  ["the time of the job", { createdAt: new Date("2026-11-24T00:00:01Z") }],
  ["the data", { digest: digestOf({ ...minimal, text: "hello!" }) }],
])("another identity comes of another value of %s", (_, change) => {
  const submission = accept(minimal);
  expect(messageIdentity(submission, { ...origin, ...change }).id).not.toBe(messageIdentity(submission, origin).id);
});

test("under a key the identity is the key's, for its tenant, whatever job and content", () => {
  const keyed = (more: object): string =>
    messageIdentity(accept({ ...minimal, idempotencyKey: "order-17" }), { ...origin, ...more }).id;
  expect(keyed({ jobId: "18", createdAt: new Date(0), digest: "another" })).toBe(keyed({}));
  expect(messageIdentity(accept({ ...minimal, idempotencyKey: "order-18" }), origin).id).not.toBe(keyed({}));
  const tenant = accept({ ...minimal, idempotencyKey: "order-17", tenant: "fabrikam" });
  expect(messageIdentity(tenant, origin).id).not.toBe(keyed({}));
});

test("with a job id that the app chose the identity is that id's and the content's, whenever it is pushed", () => {
  const chosen = (more: object): string =>
    messageIdentity(accept(minimal), { ...origin, jobId: "welcome-7", ...more }).id;
  expect(chosen({ createdAt: new Date(0) })).toBe(chosen({}));
  expect(chosen({ digest: "another" })).not.toBe(chosen({}));
});

test.each([
  ["a domain in another script", "a@例え.jp", "xn--r8jz45g.jp"],
  ["both in another script", "山田@例え.jp", "xn--r8jz45g.jp"],
  ["a domain in upper case", "a@Contoso.COM", "contoso.com"],
  ["an address literal", "a@[192.0.2.1]", "[192.0.2.1]"],
])("the Message-ID is ASCII for %s", (_, from, domain) => {
  const { id, messageId } = messageIdentity(accept({ ...minimal, from }), origin);
  expect(messageId).toBe(`<${id}@${domain}>`);
});
