import { STAGES, parseEnhancedStatus, parseReply } from "../core/index.ts";
import type { Evidence, Stage } from "../core/index.ts";
import { namedStage, usualStage } from "./assumed-stage.ts";

export type ReadEvidence = {
  readonly evidence: Evidence;
  /** Whether the stage is a guess: nothing in the input names it, and nobody gave it. */
  readonly assumedStage: boolean;
};

type Fields = Readonly<Record<string, unknown>>;
type Finding = Omit<Evidence, "stage"> & { readonly stage?: Stage | undefined };

/**
 * Reads whatever people have in hand when mail failed: a reply of a server (also inside a log line, a bounce or an
 * error's message), a JSON error of SendGrid, Entra ID, MSAL, axios or nodemailer, an attempt of Mailover's ledger, or a
 * bare code. Never fails: what it cannot read is a text that no rule knows.
 */
export function readEvidence(input: string, stage?: Stage): ReadEvidence {
  const fields = parseObject(input);
  const finding = fields === null ? readText(input) : readFields(fields);
  const { stage: named, ...rest } = finding;
  const known = stage ?? named;
  return { evidence: { ...rest, stage: known ?? usualStage(rest) }, assumedStage: known === undefined };
}

function parseObject(input: string): Fields | null {
  if (!input.trimStart().startsWith("{")) return null;
  try {
    return asFields(JSON.parse(input));
  } catch {
    return null;
  }
}

function readText(input: string): Finding {
  const text = input.replaceAll(/\\r\\n|\\n/g, "\n").trim();
  const aadsts = /AADSTS(\d+)/.exec(text)?.[1];
  if (aadsts !== undefined) return { text, aadsts: Number(aadsts), stage: "token" };

  const httpStatus = /^HTTP (?:status )?(\d{3})\b|status code (\d{3})\b|^(?:\w*Error: )?[A-Z][a-z A-Z]+ \((\d{3})\)/
    .exec(text)
    ?.slice(1)
    .find((status) => status !== undefined);
  if (httpStatus !== undefined) return { text, httpStatus: Number(httpStatus), stage: "http" };

  const stage = namedStage(text) ?? undefined;
  const replyText = findReply(text);
  const reply = replyText === null ? null : parseReply(replyText);
  if (reply !== null) {
    const { code, status, text: words } = reply;
    return { text: words, replyCode: code, ...(status !== null && { status }), stage };
  }

  const status = parseEnhancedStatus(text);
  // A bare enhanced code: rules that ask for a reply code want one of its class.
  if (status !== null) return { text, status, replyCode: status.startsWith("4") ? 450 : 550, stage };

  const errorCode = findErrorCode(text);
  return { text, ...(errorCode !== null && { errorCode }), stage };
}

/** The part of a text that begins with a reply code, or null. A code before an enhanced status is the surest. */
function findReply(text: string): string | null {
  const patterns = [
    /^[2-5]\d\d(?=[ -]|$)/,
    /(?<![\d.])[45]\d\d(?=[ -]#?[245]\.\d{1,3}\.\d{1,3}\b)/,
    /(?<=(?:smtp;|said:|response[=:]|failed:|login:|rejected:|greeting:|got code|code|closed the connection:)\s*"?)[45]\d\d(?=[ -])/i,
    /(?<=^|[\s;:("'])[45]\d\d(?=[ -][\p{L}<#])/u,
  ];
  for (const pattern of patterns) {
    const match = pattern.exec(text);
    if (match !== null) return text.slice(match.index);
  }
  return null;
}

/** Messages of Node, nodemailer and axios that go round without their code. */
const CODE_OF_MESSAGE: readonly (readonly [words: RegExp, code: string])[] = [
  [/self[- ]signed certificate/i, "DEPTH_ZERO_SELF_SIGNED_CERT"],
  [/unable to verify the first certificate/i, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
  [/unable to get (local )?issuer certificate/i, "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"],
  [/certificate has expired/i, "CERT_HAS_EXPIRED"],
  [/match certificate's altnames/i, "ERR_TLS_CERT_ALTNAME_INVALID"],
  [/wrong version number/i, "ERR_SSL_WRONG_VERSION_NUMBER"],
  [/unsupported protocol/i, "ERR_SSL_UNSUPPORTED_PROTOCOL"],
  [/timed? ?out|timeout|greeting never received|no answer to/i, "ETIMEDOUT"],
  [/socket hang up|connection closed|closed the connection|disconnected before/i, "ECONNRESET"],
];

function findErrorCode(text: string): string | null {
  const system = /\b(E[A-Z]{3,}[A-Z0-9_]*|[A-Z]{3,}(?:_[A-Z0-9]+)+)\b/.exec(text)?.[1];
  const library = /^(?:\w*Error: )?([a-z]+(?:_[a-z]+)+)\b/.exec(text)?.[1];
  return system ?? library ?? CODE_OF_MESSAGE.find(([words]) => words.test(text))?.[1] ?? null;
}

function readFields(fields: Fields): Finding {
  return (
    readAttempt(fields) ??
    readEntra(fields) ??
    readMsal(fields) ??
    readHttp(fields) ??
    readNodemailer(fields) ??
    readCode(fields)
  );
}

/** An attempt of a delivery record, or a failure of an outcome: Mailover's own. */
function readAttempt(fields: Fields): Finding | null {
  const stage = STAGES.find((known) => known === fields["stage"]);
  const text = stringOf(fields["reply"]) ?? stringOf(fields["reason"]);
  return stage === undefined || text === null ? null : { ...readText(text), stage };
}

/** The body of a token endpoint's error: RFC 6749 5.2 and Entra's `error_codes`. */
function readEntra(fields: Fields): Finding | null {
  const errorCode = stringOf(fields["error"]);
  const description = stringOf(fields["error_description"]);
  if (errorCode === null || description === null) return null;
  const codes = fields["error_codes"];
  const aadsts = numberOf(Array.isArray(codes) ? codes[0] : undefined) ?? readText(description).aadsts;
  return { text: description, errorCode, ...(aadsts !== undefined && { aadsts }), stage: "token" };
}

/** An error of MSAL: `errorNo` is the AADSTS number, as text or as a number. */
function readMsal(fields: Fields): Finding | null {
  const errorCode = stringOf(fields["errorCode"]);
  if (errorCode === null) return null;
  const text = stringOf(fields["errorMessage"]) ?? stringOf(fields["message"]) ?? errorCode;
  const aadsts = numberOf(fields["errorNo"]) ?? readText(text).aadsts;
  const httpStatus = numberOf(fields["status"]);
  return {
    text,
    errorCode,
    ...(aadsts !== undefined && { aadsts }),
    ...(httpStatus !== undefined && { httpStatus }),
    stage: "token",
  };
}

/** SendGrid's list of errors, alone or inside the errors of its library or of axios. */
function readHttp(fields: Fields): Finding | null {
  const response = asFields(fields["response"]);
  const body = response?.["body"] ?? response?.["data"] ?? fields["body"] ?? fields;
  const errors = asFields(body)?.["errors"];
  const entries = Array.isArray(errors) ? errors.map(asFields).filter((entry) => entry !== null) : [];
  const messages = entries.map((entry) => stringOf(entry["message"])).filter((message) => message !== null);
  const given = [
    response?.["statusCode"],
    response?.["status"],
    fields["status"],
    fields["statusCode"],
    fields["code"],
  ];
  const httpStatus = given.map(numberOf).find((status) => status !== undefined);
  if (messages.length === 0 && httpStatus === undefined) return null;
  const words = messages.length > 0 ? messages.join("; ") : (stringOf(body) ?? stringOf(fields["message"]) ?? "");
  const field = entries.map((entry) => stringOf(entry["field"])).find((name) => name !== null);
  const status = httpStatus ?? usualHttpStatus(words);
  return {
    text: `HTTP ${status}: ${words}`,
    httpStatus: status,
    ...(field !== undefined && { field }),
    stage: "http",
  };
}

/** The status that comes with these words, where only the body is at hand. */
function usualHttpStatus(words: string): number {
  if (/authorization grant|credits exceeded/i.test(words)) return 401;
  return /forbidden|authorization required|sender identity|white-?listed/i.test(words) ? 403 : 400;
}

function readNodemailer(fields: Fields): Finding | null {
  const response = stringOf(fields["response"]);
  if (response === null) return null;
  const { stage, ...finding } = readText(response);
  const message = stringOf(fields["message"]) ?? "";
  return { ...finding, stage: stage ?? commandStage(fields) ?? namedStage(message) ?? undefined };
}

function commandStage(fields: Fields): Stage | null {
  const command = stringOf(fields["command"]) ?? "";
  // nodemailer says DATA for the answer to the command (EENVELOPE) and for the one to the content (EMESSAGE).
  if (command === "DATA") return fields["code"] === "EMESSAGE" ? "reply" : "data";
  return command === "CONN" || command === "API" ? null : namedStage(`in reply to ${command}`);
}

/** Any other error with a code and a message. */
function readCode(fields: Fields): Finding {
  const text = stringOf(fields["message"]) ?? "an error without a message";
  const errorCode = stringOf(fields["originalCode"]) ?? stringOf(fields["code"]);
  return errorCode === null ? readText(text) : { text, errorCode };
}

function asFields(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

function stringOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" && value !== "null" ? value : null;
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) ? number : undefined;
}
