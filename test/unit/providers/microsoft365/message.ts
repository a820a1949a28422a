import type { Message } from "../../../../src/core/index.ts";

/** A small checked message from an address to ken@example.com. */
export function messageFrom(address: string, changes: Partial<Message> = {}): Message {
  const id = "01JDTEST0000000000000000AA";
  const messageId = `<${id}@mailover.test>`;
  return {
    id,
    messageId,
    date: new Date("2026-11-24T00:00:00Z"),
    envelope: { mailFrom: address, rcptTo: ["ken@example.com"] },
    from: { name: "Contoso", address },
    class: "transactional",
    tags: [],
    tenant: null,
    metadata: {},
    parts: null,
    mime: Buffer.from(
      [
        `From: Contoso <${address}>`,
        "To: ken@example.com",
        "Subject: Hello",
        `Message-ID: ${messageId}`,
        `X-Mailover-Id: ${id}`,
        "",
        "the-content-of-the-message",
        "",
      ].join("\r\n"),
    ),
    ...changes,
  };
}
