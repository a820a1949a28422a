import { arrayOf, isObject } from "./json-value.ts";
import type { JsonObject } from "./json-value.ts";
import { fieldError } from "./sendgrid-errors.ts";
import type { SendGridError } from "./sendgrid-errors.ts";

/** What is wrong with the blocks of text. */
export function checkContent(mail: JsonObject): readonly SendGridError[] {
  const blocks = arrayOf(mail["content"]);
  if (blocks.length === 0 && mail["template_id"] === undefined) {
    return [
      fieldError(
        "Unless a valid template_id is provided, the content parameter is required. There must be at least one defined content block. We typically suggest both text/plain and text/html blocks are included, but only one block is required.",
        "content",
        "message.content",
      ),
    ];
  }
  const types = blocks.map((block) => (isObject(block) ? block["type"] : undefined));
  const errors = blocks.flatMap((block, index) => {
    const value = isObject(block) ? block["value"] : undefined;
    const type = types[index];
    return [
      ...(typeof value === "string" && value !== ""
        ? []
        : [
            fieldError(
              "The content value must be a string at least one character in length.",
              `content.${index}.value`,
              "message.content.value",
            ),
          ]),
      ...(typeof type === "string" && type !== ""
        ? []
        : [
            fieldError(
              "The content type must be a string at least one character in length.",
              `content.${index}.type`,
              "message.content.type",
            ),
          ]),
    ];
  });
  const ranks = types.map((type) => (type === "text/plain" ? 0 : type === "text/html" ? 1 : 2));
  if (ranks.some((rank, index) => rank < (ranks[index - 1] ?? 0))) {
    errors.push(
      fieldError(
        "If present, text/plain and text/html must be in the order of text/plain, text/html, and then any other mime types.",
        "content",
        "message.content",
      ),
    );
  }
  return errors;
}

/** What is wrong with one attachment. */
export function checkAttachment(attachment: unknown, index: number): readonly SendGridError[] {
  const path = `attachments.${index}`;
  const { content, filename } = isObject(attachment) ? attachment : {};
  const isBase64 = typeof content === "string" && /^[A-Za-z0-9+/]+={0,2}$/.test(content) && content.length % 4 === 0;
  return [
    ...(isBase64
      ? []
      : [
          fieldError(
            "The attachment content must be base64 encoded.",
            `${path}.content`,
            "message.attachments.content",
          ),
        ]),
    ...(typeof filename === "string" && filename !== ""
      ? []
      : [fieldError("The attachment filename is required.", `${path}.filename`, "message.attachments.filename")]),
  ];
}
