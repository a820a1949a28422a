import { existsSync, readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, test } from "vitest";
import type { MessageParts } from "../../../../src/core/index.ts";
import { apiThat, providerAt, send } from "./harness.ts";
import { box, file, messageWith } from "./messages.ts";
import { accepted } from "./scripted-api.ts";

/** SendGrid's own description of mail/send; it lies beside the repository, where it is present. */
const description = new URL("../../../../../shared/facts/sendgrid-mail-v3.openapi.json", import.meta.url);
const bodySchema = "sendgrid#/components/requestBodies/PostMailSend/content/application~1json/schema";

/** The description leaves objects open; closed ones find a name that is misspelt. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return typeof copy["properties"] === "object" && copy["type"] === "object"
    ? { ...copy, additionalProperties: false }
    : copy;
}

function validator(): (body: unknown) => unknown {
  const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { email: /^[\x21-\x7e]+@[\x21-\x7e]+$/ } });
  ajv.addSchema(closed(JSON.parse(readFileSync(description, "utf8"))) as object, "sendgrid");
  const validate = ajv.getSchema(bodySchema);
  if (validate === undefined) throw new Error("the description has no schema for mail/send");
  return (body) => (validate(body) ? [] : validate.errors);
}

const everything: Partial<MessageParts> = {
  to: [box("taro@例え.jp", "山田, 太郎"), box("ada@example.com", "Ada")],
  cc: [box("bob@example.com")],
  bcc: [box("cid@example.com")],
  replyTo: [box("help@contoso.com", "Help"), box("desk@contoso.com")],
  subject: "請求書",
  text: "text",
  html: "<p>html</p>",
  headers: [{ name: "List-Unsubscribe", value: "<https://example.com/u>" }],
  attachments: [
    file("請求書.pdf", "%PDF", { contentType: "application/pdf" }),
    file("logo.png", "png", { contentType: "image/png", cid: "logo", disposition: "inline" }),
    { ...file("", "x"), filename: null, contentType: null },
  ],
  calendar: { method: "REQUEST", filename: null, content: "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n" },
};

const messages: readonly [what: string, parts: Partial<MessageParts>, settings: Record<string, unknown>][] = [
  ["a plain one", {}, {}],
  ["one with everything", everything, {}],
  ["one with everything, by all settings", everything, { sandbox: true, tracking: "off", customArgs: { env: "test" } }],
  ["one with a mapped From", {}, { from: { "*": "mail@send.contoso.com" } }],
  ["one without words", { subject: "", text: null }, {}],
  ["one for blind recipients", { to: [], bcc: [box("a@example.com"), box("b@example.com")] }, {}],
];

describe.skipIf(!existsSync(description))("requests as SendGrid describes them", () => {
  let errorsOf: ReturnType<typeof validator>;

  beforeAll(() => {
    errorsOf = validator();
  });

  test.each(messages)("%s", async (_what, parts, settings) => {
    const api = await apiThat([accepted]);
    await send(providerAt(api.url, settings), messageWith(parts, { tags: ["billing", "領収書"] }));
    expect(errorsOf(api.requests[0]?.json)).toEqual([]);
  });

  test("and not otherwise", () => {
    expect(
      errorsOf({ personalizations: [{ to: [{ mail: "a@example.com" }] }], from: { email: "no address" } }),
    ).not.toEqual([]);
  });
});
