import { expect, test } from "vitest";

import { messageIdentity } from "../../../src/message/index.ts";
import { accept, minimal } from "./fixture.ts";

const origin = { queue: "mail", jobId: "17", createdAt: new Date("2026-11-24T00:00:00Z"), data: minimal };

test("the identity is the same each time, also from data that went through JSON", () => {
  const first = messageIdentity(accept(minimal), origin);
  const again = messageIdentity(accept(minimal), { ...origin, data: JSON.parse(JSON.stringify(minimal)) });
  expect(again).toEqual(first);
  expect(first.id).toMatch(/^[0-9a-v]{26}$/);
  expect(first.messageId).toBe(`<${first.id}@contoso.com>`);
  expect(first.date).toEqual(origin.createdAt);
});

test.each([
  ["the queue", { queue: "mail2" }],
  ["the job's id", { jobId: "18" }],
  ["the time of the job", { createdAt: new Date("2026-11-24T00:00:01Z") }],
  ["the data", { data: { ...minimal, text: "hello!" } }],
])("another identity comes of another value of %s", (_, change) => {
  const submission = accept(minimal);
  expect(messageIdentity(submission, { ...origin, ...change }).id).not.toBe(messageIdentity(submission, origin).id);
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
