import { parseReply } from "../../src/core/index.ts";
import type { Reply, Stage } from "../../src/core/index.ts";

/**
 * A command that waits for its reply. `stage` is null where it begins none, as RSET and QUIT. `recipient` counts the
 * RCPT commands of a transaction from 0.
 */
export type Command = { readonly stage: Stage | null; readonly verb: string; readonly recipient: number | null };

/** What a server said it can do, in its answer to EHLO. */
export type Extensions = { readonly smtpUtf8: boolean; readonly maxMessageBytes: number | null };

/** A recipient that was refused at RCPT, by its place in the transaction. */
export type RefusedRecipient = { readonly index: number; readonly reply: Reply };

export type DialogueListener = {
  /** Told of the command whose reply is awaited now, and of the one that was answered, if one was. */
  onMove(next: Command | null, answered: Command | null): void;
  /** Told of a line that is no reply, whatever it should have answered. From there on nothing has its right place. */
  onGarbage(answered: Command | null): void;
};

const STAGE_OF_VERB: Readonly<Record<string, Stage>> = {
  EHLO: "ehlo",
  HELO: "ehlo",
  STARTTLS: "starttls",
  MAIL: "mail",
  RCPT: "rcpt",
  DATA: "data",
  // The end of a message that has no recipient, which nodemailer writes to a server that let DATA through all the same.
  ".": "data",
};

/**
 * Follows commands and replies as they pass, in the form of the logger that nodemailer takes.
 *
 * A pipelined envelope goes out in one piece, and nodemailer's error after a drop says only `CONN`; so the stage is that
 * of the first command that has no reply yet. Nothing is kept of a line but its verb, so that credentials stay out.
 */
export class Dialogue {
  #waiting: Command[] = [];
  #recipientCount = 0;
  #authenticating = false;
  #extensions: Extensions = { smtpUtf8: false, maxMessageBytes: null };
  #refused: RefusedRecipient[] = [];
  #replyCount = 0;
  #lastAnswered: Command | null = null;
  readonly #listener: DialogueListener;

  constructor(listener: DialogueListener) {
    this.#listener = listener;
  }

  get extensions(): Extensions {
    return this.#extensions;
  }

  /** Recipients refused in this transaction, in order. */
  get refused(): readonly RefusedRecipient[] {
    return this.#refused;
  }

  /** Replies to commands of this transaction. */
  get replyCount(): number {
    return this.#replyCount;
  }

  /** The command that got the latest reply; null where it was the content, or nothing. */
  get lastAnswered(): Command | null {
    return this.#lastAnswered;
  }

  beginTransaction(): void {
    this.#waiting = [];
    this.#recipientCount = 0;
    this.#refused = [];
    this.#replyCount = 0;
    this.#lastAnswered = null;
  }

  /** From now on every line is a part of AUTH, whatever it looks like: it may be base64. */
  set authenticating(value: boolean) {
    this.#authenticating = value;
  }

  /** nodemailer's logger; only its transaction log, with lines of the client and the server, is of interest. */
  readonly logger = {
    debug: (entry: { readonly tnx?: string } | undefined, line?: string): void => {
      if (entry?.tnx === "client") this.#sent(line ?? "");
      else if (entry?.tnx === "server") this.#received(line ?? "");
    },
    trace: (): void => {},
    info: (): void => {},
    warn: (): void => {},
    error: (): void => {},
    fatal: (): void => {},
  };

  #sent(line: string): void {
    const verb = this.#authenticating ? "AUTH" : (line.split(" ", 1)[0] ?? "").toUpperCase();
    const recipient = verb === "RCPT" ? this.#recipientCount++ : null;
    const command: Command = { stage: this.#authenticating ? "auth" : (STAGE_OF_VERB[verb] ?? null), verb, recipient };
    this.#waiting.push(command);
    if (this.#waiting.length === 1) this.#listener.onMove(command, null);
  }

  #received(line: string): void {
    const answered = this.#waiting.shift() ?? null;
    const reply = parseReply(line);
    if (reply === null) return this.#listener.onGarbage(answered);
    this.#lastAnswered = answered;
    if (answered !== null) {
      this.#replyCount += 1;
      if (answered.verb === "EHLO") this.#extensions = parseExtensions(line);
      // 421 is no word about the recipient: the server closes the connection (RFC 5321 3.8).
      if (answered.recipient !== null && reply.code >= 400 && reply.code !== 421) {
        this.#refused.push({ index: answered.recipient, reply });
      }
    }
    this.#listener.onMove(this.#waiting[0] ?? null, answered);
  }
}

function parseExtensions(reply: string): Extensions {
  const keywords = reply.split(/\r?\n/).map((line) => line.slice(4).trim().toUpperCase());
  const size = keywords.map((keyword) => /^SIZE(?:\s+(\d+))?$/.exec(keyword)).find((match) => match !== null);
  const maxMessageBytes = Number(size?.[1] ?? 0);
  return {
    smtpUtf8: keywords.includes("SMTPUTF8"),
    // 0 means no fixed limit (RFC 1870 section 4).
    maxMessageBytes: maxMessageBytes === 0 ? null : maxMessageBytes,
  };
}
