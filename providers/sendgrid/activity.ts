import type { Evidence, Lookup, SoughtMessage } from "../../src/core/index.ts";
import { addressKey } from "./addressing.ts";

/** Most rows the API gives at once; one row is one recipient. */
export const MAX_ROWS = 1_000;

/** A message to one recipient in the Email Activity Feed, as far as it is looked at. */
type ActivityRow = { readonly id: string; readonly recipient: string; readonly status: string };

/** The query for a message by the custom argument that it was sent with; custom arguments are called unique there. */
export function activityQuery({ id }: SoughtMessage): string {
  return `(unique_args['mailover_id']="${id}")`;
}

/**
 * What the feed says of an attempt to these recipients. A request is taken whole or not at all, so one row of theirs
 * settles it: dropped and bounced messages were taken too. Rows of others are of earlier attempts. `absentAfterMs` null:
 * absence is never believed.
 */
export function judgeActivity(
  body: unknown,
  recipients: readonly string[],
  attemptedAt: number,
  now: number,
  absentAfterMs: number | null,
): Lookup {
  const unknown = (reason: string): Lookup => ({ kind: "unknown", reason });
  const rows = parseRows(body);
  if (rows === null)
    return unknown("the answer to GET /v3/messages is no list: a proxy on the way may be what answers");
  const wanted = new Set(recipients.map(addressKey));
  const row = rows.find(({ recipient }) => wanted.has(addressKey(recipient)));
  if (row !== undefined) {
    return { kind: "accepted", remoteId: requestId(row.id), evidence: `in SendGrid's email activity as ${row.status}` };
  }
  if (rows.length >= MAX_ROWS) return unknown("SendGrid's email activity holds more of it than one answer shows");
  if (absentAfterMs === null) {
    return unknown("not in SendGrid's email activity, which proves nothing without the setting absentAfterMs");
  }
  const ageMs = now - attemptedAt;
  return ageMs < absentAfterMs
    ? unknown(`not in SendGrid's email activity yet, ${Math.round(ageMs / 1000)} s after the attempt`)
    : {
        kind: "absent",
        evidence: `not in SendGrid's email activity ${Math.round(ageMs / 60_000)} min after the attempt`,
      };
}

/** Why there was no answer, with what to do about it. */
export function activityTrouble({ httpStatus, text }: Evidence): string {
  const trouble = `SendGrid's email activity: ${text}`;
  if (httpStatus === 401 || httpStatus === 403) {
    return `${trouble}. At https://app.sendgrid.com/settings/api_keys give the key Email Activity; the account needs the add-on "additional email activity history" (Account Details > Your Products > Add-ons).`;
  }
  // Six requests a minute, for the whole account (Twilio, "Email Activity", read 2026-11-24).
  return httpStatus === 429
    ? `${trouble}. It takes 6 questions a minute; the message is asked after again later.`
    : trouble;
}

/** Null where it is no list of messages, or holds anything else. */
function parseRows(body: unknown): readonly ActivityRow[] | null {
  const { messages } = (typeof body === "object" && body !== null ? body : {}) as { messages?: unknown };
  if (!Array.isArray(messages)) return null;
  const rows = messages.map(parseRow);
  return rows.includes(null) ? null : rows.filter((row) => row !== null);
}

function parseRow(value: unknown): ActivityRow | null {
  if (typeof value !== "object" || value === null) return null;
  const { msg_id: id, to_email: recipient, status } = value as Readonly<Record<string, unknown>>;
  if (typeof id !== "string" || typeof recipient !== "string" || typeof status !== "string") return null;
  return { id, recipient, status: /^\w{1,40}$/.test(status) ? status : "known" };
}

/** The X-Message-Id of the request: the id of each recipient's message begins with it and a dot. */
function requestId(id: string): string {
  const dot = id.indexOf(".");
  return dot < 1 ? id : id.slice(0, dot);
}
