import { parseReply } from "../../src/core/index.ts";
import type { Evidence, Stage } from "../../src/core/index.ts";
import { redact } from "./credentials.ts";

/** The fields that errors of Node and of nodemailer carry, as far as they tell what happened. */
type ErrorFields = {
  readonly message?: unknown;
  readonly code?: unknown;
  readonly originalCode?: unknown;
  readonly command?: unknown;
  readonly response?: unknown;
  readonly errors?: unknown;
};

/** Why an attempt was stopped from our side: the reason of its abort signal. */
export type Interruption = { readonly errorCode: "ABORTED" | "ETIMEDOUT"; readonly text: string };

/** nodemailer's name of the command that a reply refused, to the stage it belongs to. */
const STAGE_OF_COMMAND: Readonly<Record<string, Stage>> = {
  EHLO: "ehlo",
  HELO: "ehlo",
  STARTTLS: "starttls",
  AUTH: "auth",
  MAIL: "mail",
  RCPT: "rcpt",
};

/**
 * Reads an error of Node or of nodemailer. A reply counts before everything else, and names its command. Without one
 * nodemailer says `CONN` whatever the connection was at, so the stage is ours.
 */
export function evidenceOf(error: unknown, stage: Stage, secrets: readonly string[]): Evidence {
  const fields = (typeof error === "object" && error !== null ? error : { message: String(error) }) as ErrorFields;
  const reply = typeof fields.response === "string" ? parseReply(fields.response) : null;
  if (reply !== null) {
    return {
      stage: stageOfReply(fields, stage),
      text: redact(reply.text, secrets),
      replyCode: reply.code,
      ...(reply.status === null ? {} : { status: reply.status }),
      ...codeOf(fields),
    };
  }
  return { stage, text: redact(textOf(fields), secrets), ...codeOf(fields) };
}

/** What an attempt that we stopped ourselves leaves to judge by. */
export function interruptionEvidence(reason: unknown, stage: Stage): Evidence {
  return isInterruption(reason)
    ? { stage, ...reason }
    : { stage, errorCode: "ABORTED", text: `the attempt was stopped in stage ${stage}` };
}

function isInterruption(reason: unknown): reason is Interruption {
  return typeof reason === "object" && reason !== null && "errorCode" in reason && "text" in reason;
}

function stageOfReply(fields: ErrorFields, stage: Stage): Stage {
  const command = typeof fields.command === "string" ? fields.command : "";
  // nodemailer calls both answers "DATA": EENVELOPE is the one to the command, EMESSAGE the one to the content.
  if (command === "DATA") return fields.code === "EMESSAGE" ? "reply" : "data";
  return STAGE_OF_COMMAND[command.split(" ", 1)[0] ?? ""] ?? stage;
}

/** The system's own code comes first: nodemailer puts its category over it. */
function codeOf(fields: ErrorFields): { readonly errorCode?: string } {
  const code = typeof fields.originalCode === "string" ? fields.originalCode : fields.code;
  return typeof code === "string" ? { errorCode: code } : {};
}

function textOf(fields: ErrorFields): string {
  if (typeof fields.message === "string" && fields.message !== "") return fields.message;
  // Where every address of a host failed, Node gives an AggregateError without a message.
  const parts = Array.isArray(fields.errors) ? (fields.errors as readonly ErrorFields[]) : [];
  const texts = parts.map((part) => part.message).filter((message) => typeof message === "string");
  return texts.join("; ") || (typeof fields.code === "string" ? fields.code : "unknown error");
}
