import { randomBytes } from "node:crypto";
import type { Clock } from "../core/index.ts";
import { LAB_ACCOUNT } from "./defaults.ts";
import type { HttpFault } from "./fault.ts";
import type { HttpRequest, HttpResponse } from "./http-message.ts";
import { startHttpServer } from "./http-server.ts";
import { isObject, parseJson } from "./json-value.ts";
import type { JsonObject } from "./json-value.ts";
import type { LabServer } from "./lab-server.ts";
import type { AcceptedMessage } from "./mailbag.ts";
import { listActivity } from "./sendgrid-activity.ts";
import { checkMail } from "./sendgrid-check.ts";
import { errorResponse, nginxResponse, plainError } from "./sendgrid-errors.ts";
import { emailOf, recipientsOf } from "./sendgrid-recipients.ts";
import { WindowCount } from "./window-count.ts";

export type SendGridRules = {
  /** Scopes by API key. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
  /** Addresses and domains that are verified senders, in lower case; null: any address is. */
  readonly verified: readonly string[] | null;
  /** Recipients a day, UTC. */
  readonly creditsPerDay: number;
  /** Requests to mail/send in a minute of the clock. */
  readonly requestsPerMinute: number;
  /** Requests to messages in a minute of the clock. */
  readonly activityRequestsPerMinute: number;
  /** How long after it was accepted a message shows in the activity. */
  readonly activityDelayMs: number;
};

export type SendGridOptions = {
  readonly host?: string;
  readonly port?: number;
  readonly rules?: Partial<SendGridRules>;
  readonly clock?: Clock;
  readonly seed?: number;
};

export interface SendGridServer extends LabServer<HttpFault> {
  /** Base address, `http://127.0.0.1:…`. */
  readonly url: string;
  readonly rules: SendGridRules;
  /** Changes rules while it runs. */
  setRules(rules: Partial<SendGridRules>): void;
}

const DEFAULT_RULES: SendGridRules = {
  keys: { [LAB_ACCOUNT.sendGridKey]: ["mail.send", "sender_verification_eligible", "messages.read"] },
  verified: null,
  creditsPerDay: Infinity,
  requestsPerMinute: Infinity,
  activityRequestsPerMinute: 6,
  activityDelayMs: 0,
};

const PATHS = new Set(["/v3/mail/send", "/v3/messages", "/v3/scopes"]);
const MAX_BODY_BYTES = 31_457_280;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** A stand-in for SendGrid's v3 API: mail/send, messages and scopes, over plain HTTP on loopback. */
export async function startSendGrid(options: SendGridOptions = {}): Promise<SendGridServer> {
  const clock = options.clock ?? Date.now;
  const rules = { ...DEFAULT_RULES, ...options.rules };
  const requests = new WindowCount(MINUTE_MS);
  const questions = new WindowCount(MINUTE_MS);
  const recipients = new WindowCount(DAY_MS);

  const standIn = await startHttpServer<HttpFault>({
    name: "sendgrid",
    host: options.host ?? "127.0.0.1",
    port: options.port ?? 0,
    clock,
    seed: options.seed ?? 1,
    onClear: () => {
      requests.clear();
      questions.clear();
      recipients.clear();
    },
    authority: null,
    maxBodyBytes: MAX_BODY_BYTES,
    answer: (request: HttpRequest): HttpResponse => answer(request),
  });

  const answer = (request: HttpRequest): HttpResponse => {
    if (!PATHS.has(request.path)) {
      return errorResponse(404, [plainError("Not Found")]);
    }
    const method = request.path === "/v3/mail/send" ? "POST" : "GET";
    if (request.method !== method) return errorResponse(405, [plainError(`${method} method allowed only`)]);
    const scopes = rules.keys[/^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? ""];
    if (scopes === undefined) {
      return errorResponse(401, [plainError("The provided authorization grant is invalid, expired, or revoked")]);
    }
    if (request.path === "/v3/scopes") return { status: 200, body: { scopes } };
    const [scope, act] = request.path === "/v3/messages" ? ["messages.read", find] : ["mail.send", send];
    return scopes.includes(scope) ? act(request) : errorResponse(403, [plainError("access forbidden")]);
  };

  const find = (request: HttpRequest): HttpResponse => {
    const now = clock();
    const rate = rateHeaders(rules.activityRequestsPerMinute, questions.add(now, 1), now);
    if (rate.over) return errorResponse(429, [plainError("too many requests")], rate.headers);
    return listActivity(
      request,
      standIn.accepted.filter(({ acceptedAt }) => acceptedAt + rules.activityDelayMs <= now),
    );
  };

  const send = (request: HttpRequest): HttpResponse => {
    const now = clock();
    const rate = rateHeaders(rules.requestsPerMinute, requests.add(now, 1), now);
    if (rate.over) return errorResponse(429, [plainError("too many requests")], rate.headers);
    if (request.bodyBytes > MAX_BODY_BYTES) return nginxResponse(413, "Request Entity Too Large");
    if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) {
      return errorResponse(415, [plainError("Content-Type should be application/json.")], rate.headers);
    }
    const mail = parseJson(request.body.toString("utf8"));
    const errors = checkMail(mail);
    if (errors.length > 0 || !isObject(mail)) return errorResponse(400, errors, rate.headers);
    const from = emailOf(mail["from"]) ?? "";
    if (!isVerified(from, rules.verified)) return errorResponse(403, [plainError(NOT_VERIFIED, "from")], rate.headers);
    if (isSandbox(mail)) return { status: 200, headers: rate.headers };
    const rcptTo = recipientsOf(mail);
    if (recipients.count(now) + rcptTo.length > rules.creditsPerDay) {
      return errorResponse(401, [plainError("Maximum credits exceeded")], rate.headers);
    }
    recipients.add(now, rcptTo.length);
    const remoteId = randomBytes(16).toString("base64url");
    standIn.accept(acceptedMail(mail, from, rcptTo, remoteId));
    return { status: 202, headers: { server: "nginx", "x-message-id": remoteId, ...rate.headers } };
  };

  return Object.assign(standIn, {
    url: `http://${standIn.host}:${standIn.port}`,
    rules,
    setRules: (changes: Partial<SendGridRules>) => void Object.assign(rules, changes),
  });
}

const NOT_VERIFIED =
  "The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved. Visit https://sendgrid.com/docs/for-developers/sending-email/sender-identity/ to see the Sender Identity requirements";

function acceptedMail(
  mail: JsonObject,
  mailFrom: string,
  rcptTo: readonly string[],
  remoteId: string,
): Omit<AcceptedMessage, "server" | "acceptedAt"> {
  const headers = isObject(mail["headers"]) ? mail["headers"] : {};
  const header = (wanted: string): string | null => {
    const value = Object.entries(headers).find(([name]) => name.toLowerCase() === wanted)?.[1];
    return typeof value === "string" ? value : null;
  };
  return {
    mailFrom,
    rcptTo,
    messageId: header("message-id"),
    mailoverId: header("x-mailover-id"),
    content: Buffer.alloc(0),
    remoteId,
    user: null,
    json: mail,
  };
}

function isVerified(from: string, verified: readonly string[] | null): boolean {
  const address = from.toLowerCase();
  return (
    verified === null || verified.includes(address) || verified.includes(address.slice(address.lastIndexOf("@") + 1))
  );
}

function isSandbox(mail: JsonObject): boolean {
  const settings = mail["mail_settings"];
  const sandbox = isObject(settings) ? settings["sandbox_mode"] : undefined;
  return isObject(sandbox) && sandbox["enable"] === true;
}

function rateHeaders(
  limit: number,
  usedCount: number,
  now: number,
): { over: boolean; headers: Record<string, string> } {
  if (limit === Infinity) return { over: false, headers: {} };
  const resetAtS = (Math.floor(now / MINUTE_MS) + 1) * (MINUTE_MS / 1_000);
  return {
    over: usedCount > limit,
    headers: {
      "x-ratelimit-limit": String(limit),
      "x-ratelimit-remaining": String(Math.max(0, limit - usedCount)),
      "x-ratelimit-reset": String(resetAtS),
    },
  };
}
