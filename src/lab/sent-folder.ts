import { createHash } from "node:crypto";
import type { GraphRules } from "./graph-rules.ts";
import type { AcceptedMessage } from "./mailbag.ts";
import { headersOf } from "./mime-header.ts";

/** A message in Graph's form, as far as clients of the lab read it. */
export type GraphMessage = {
  readonly id: string;
  readonly internetMessageId: string;
  readonly createdDateTime: string;
  readonly internetMessageHeaders?: readonly { readonly name: string; readonly value: string }[];
};

type Copy = { readonly message: GraphMessage; readonly createdAt: number };

/** The Sent Items of a mailbox: copies of what Exchange accepted from it and has stored by now, newest first. */
export function sentFolder(
  accepted: readonly AcceptedMessage[],
  mailbox: string,
  rules: GraphRules,
  now: number,
): readonly GraphMessage[] {
  return copies(accepted, mailbox, rules)
    .filter(({ createdAt }) => createdAt <= now)
    .map(({ message }) => message)
    .toReversed();
}

/** Keeps what an OData filter asks for; null where it is none of the two that the lab understands. */
export function filterMessages(messages: readonly GraphMessage[], filter: string): readonly GraphMessage[] | null {
  const wanted = /^internetMessageId eq '((?:[^']|'')*)'$/.exec(filter)?.[1]?.replaceAll("''", "'");
  if (wanted !== undefined) return messages.filter(({ internetMessageId }) => internetMessageId === wanted);
  const [, from = "", to = ""] = /^createdDateTime ge (\S+) and createdDateTime le (\S+)$/.exec(filter) ?? [];
  const [least, most] = [Date.parse(from), Date.parse(to)];
  if (Number.isNaN(least) || Number.isNaN(most)) return null;
  return messages.filter(({ createdDateTime }) => {
    const createdAt = Date.parse(createdDateTime);
    return createdAt >= least && createdAt <= most;
  });
}

function copies(accepted: readonly AcceptedMessage[], mailbox: string, rules: GraphRules): readonly Copy[] {
  if (!rules.keepsCopies) return [];
  return accepted
    .filter(({ user }) => user === mailbox)
    .map((message, place) => {
      const createdAt = message.acceptedAt + rules.copyDelayMs;
      const id = createHash("sha256").update(`${place} ${message.remoteId}`).digest("base64url");
      const original = message.messageId ?? message.remoteId;
      const internetMessageId = rules.replacesMessageIds
        ? `<LAB${id.slice(0, 24)}@LABPR01MB0001.labprd01.prod.outlook.com>`
        : original;
      const headers = headersOf(message.content).filter(({ name }) => name.toLowerCase() !== "message-id");
      const told = rules.replacesMessageIds ? [{ name: "X-Microsoft-Original-Message-ID", value: original }] : [];
      return {
        createdAt,
        message: {
          id,
          internetMessageId,
          // Graph tells whole seconds.
          createdDateTime: `${new Date(createdAt).toISOString().slice(0, 19)}Z`,
          ...(rules.showsHeaders && { internetMessageHeaders: [...headers, ...told] }),
        },
      };
    });
}
