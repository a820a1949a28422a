import type { HttpRequest, HttpResponse } from "./http-message.ts";
import { arrayOf, isObject } from "./json-value.ts";
import type { AcceptedMessage } from "./mailbag.ts";
import { errorResponse, plainError } from "./sendgrid-errors.ts";
import { recipientsOf } from "./sendgrid-recipients.ts";

/** The Email Activity Feed: a row for each recipient of a message. */
type ActivityRow = {
  readonly from_email: string;
  readonly msg_id: string;
  readonly subject: string;
  readonly to_email: string;
  readonly status: "processed" | "delivered" | "not_delivered";
  readonly opens_count: number;
  readonly clicks_count: number;
  readonly last_event_time: string;
};

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 1_000;

/** Answers GET /v3/messages for a query by one custom argument, the only kind that the lab understands. */
export function listActivity(request: HttpRequest, accepted: readonly AcceptedMessage[]): HttpResponse {
  const limit = Number(request.query.get("limit") ?? DEFAULT_LIMIT);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) return badField("limit", "limit is out of range");
  const query = request.query.get("query") ?? "";
  const [, name, value] = /^\(?unique_args\[['"](\w+)['"]\] ?= ?"([^"]*)"\)?$/.exec(query) ?? [];
  if (name === undefined || value === undefined) return badField("query", "error parsing input at line 1, position 1");
  const messages = accepted.flatMap((message) => rowsOf(message, name, value)).slice(0, limit);
  return { status: 200, body: { messages } };
}

function rowsOf({ json, mailFrom, remoteId, acceptedAt }: AcceptedMessage, name: string, value: string): ActivityRow[] {
  if (!isObject(json)) return [];
  const personalizations = arrayOf(json["personalizations"]).filter(
    (each) => argumentOf(each, name) === value || argumentOf(json, name) === value,
  );
  return recipientsOf({ personalizations }).map((recipient, place) => ({
    from_email: mailFrom,
    msg_id: `${remoteId}.recvd-5f0c7d9b4-lab-1-00000000-${place}.0`,
    subject: typeof json["subject"] === "string" ? json["subject"] : "",
    to_email: recipient,
    status: "processed",
    opens_count: 0,
    clicks_count: 0,
    last_event_time: `${new Date(acceptedAt).toISOString().slice(0, 19)}Z`,
  }));
}

function argumentOf(holder: unknown, name: string): unknown {
  const args = isObject(holder) ? holder["custom_args"] : undefined;
  return isObject(args) ? args[name] : undefined;
}

function badField(field: string, message: string): HttpResponse {
  return errorResponse(400, [plainError(message, field)]);
}
