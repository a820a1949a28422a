import { z } from "zod";

import { messageSchema } from "./schema.ts";

const schemaId = "urn:mailover:message.schema.json";

/** What a message must hold at least; zod has no word for it. `parse.ts` is the judge of everything else. */
const requirements = [
  { required: ["raw", "envelope"] },
  ...["text", "html", "attachments", "icalEvent"].map((field) => ({ required: ["from", field] })),
];

/** The published schema of a job's data (JSON Schema 2020-12), as the text of `schema/message.schema.json`. */
export function renderMessageSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(messageSchema, { io: "input" });
  const whole = {
    $schema,
    $id: schemaId,
    title: "Mailover message",
    description: "The data of a job in the queue `mail`. A top-level field that is null counts as not given.",
    ...schema,
    anyOf: requirements,
  };
  return `${JSON.stringify(whole, null, 2)}\n`;
}

/** The table of fields in `docs/message.md`. */
export function renderMessageFields(): string {
  const rows = Object.entries(messageSchema.shape).map(
    ([name, field]) => `| \`${name}\` | ${field.description ?? ""} |`,
  );
  return ["| field | meaning |", "|---|---|", ...rows].join("\n");
}
