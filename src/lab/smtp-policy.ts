import type { Credentials, SaslMechanism } from "./smtp-sasl.ts";

/** What is known of one SMTP connection. */
export type SmtpState = {
  /** Counts up with each connection to the server. */
  readonly connection: number;
  readonly secure: boolean;
  /** Name given in EHLO or HELO, or null before it. */
  readonly hello: string | null;
  /** Who is signed in. */
  readonly user: string | null;
};

/** A message as it came, before it is accepted. */
export type Transaction = {
  readonly mailFrom: string;
  readonly rcptTo: readonly string[];
  /** MIME, dots unstuffed; empty where it was larger than `maxBytes`. */
  readonly content: Buffer;
  readonly sizeBytes: number;
};

/** A reply is one string, lines joined by LF, code included. It says yes where it begins with 2. */
export type ReplyText = string;

export type AuthVerdict = { readonly user: string } | { readonly refusal: ReplyText };

export type ContentVerdict = {
  readonly reply: ReplyText;
  /** Id of the message, where it is taken. */
  readonly remoteId: string;
  /** How late the reply is; the message is taken at once. */
  readonly delayMs?: number;
};

/** What makes one SMTP server differ from another: what it offers, and how it answers. */
export interface SmtpPolicy {
  /** The first reply. One that says no also ends the connection. `connections`: those open now, this one included. */
  greeting(connections: number): ReplyText;
  /** First line of the answer to EHLO, without the code. */
  readonly helloLine: (hello: string) => string;
  /** Keywords of EHLO, without STARTTLS and AUTH. */
  extensions(state: SmtpState): readonly string[];
  /** Mechanisms offered to this connection now; none: AUTH is not offered. */
  mechanisms(state: SmtpState): readonly SaslMechanism[];
  /** The reply to a mechanism that is not offered. */
  unknownMechanism(): ReplyText;
  /** The reply that signs in. */
  readonly signedIn: ReplyText;
  authenticate(credentials: Credentials, state: SmtpState): AuthVerdict;
  /** `xoauth2Challenge`: a refused XOAUTH2 is told by 334 and JSON first, as Google does; else by the refusal at once. */
  readonly xoauth2Challenge: boolean;
  mail(address: string, declaredSizeBytes: number | null, state: SmtpState): ReplyText;
  rcpt(address: string, acceptedCount: number, state: SmtpState): ReplyText;
  readonly startContent: ReplyText;
  /** Content beyond this is read, but not kept. */
  readonly maxBytes: number;
  /** The answer to the final dot. Counts the message against the rules. */
  content(transaction: Transaction, state: SmtpState): ContentVerdict;
  readonly reset: ReplyText;
  readonly noop: ReplyText;
  readonly goodbye: ReplyText;
  /** Told when a connection has ended. */
  ended?(state: SmtpState): void;
}
