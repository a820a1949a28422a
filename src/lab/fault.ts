/** Where in an SMTP session a fault can strike, in the order of the session. README.md says what each point is. */
export const SMTP_POINTS = [
  "connect",
  "greeting",
  "ehlo",
  "starttls",
  "tls",
  "auth",
  "mail",
  "rcpt",
  "data",
  "content",
  "dot",
  "rset",
  "noop",
  "quit",
] as const;

export type SmtpPoint = (typeof SMTP_POINTS)[number];

/** When a fault strikes; always, where neither is given. */
export type FaultLimit = {
  /** Only the first so many times. */
  readonly count?: number;
  /** Only this share of the times, 0 to 1, by the server's seeded random numbers. */
  readonly share?: number;
};

/** The listening socket is closed, so that connects are refused, and live connections are dropped. */
export type RefuseFault = { readonly kind: "refuse" };

/** What a stand-in for SMTP can be made to do wrong. All of it is JSON. */
export type SmtpFault =
  | RefuseFault
  | (FaultLimit &
      (
        | {
            /** Never answers there, nor anything after it on that connection. */
            readonly kind: "silence";
            /** `any`: new connections at once, live ones at their next command. */
            readonly at: SmtpPoint | "any";
            /** At the dot: whether the message was taken all the same. */
            readonly accepted?: boolean;
          }
        | {
            /** Answers late: everywhere, or at one point. */
            readonly kind: "slow";
            readonly delayMs: number;
            readonly at?: SmtpPoint;
          }
        | {
            /** Answers with this text in place of its own. At the dot, a 2xx text takes the message. */
            readonly kind: "reply";
            readonly at: SmtpPoint;
            /** One line or more, code included; lines end in LF or CRLF. */
            readonly text: string;
            /** Hangs up after it. */
            readonly close?: boolean;
            /** At rcpt: only recipients that this regular expression (case-insensitive) matches. */
            readonly recipient?: string;
          }
        | {
            /** Hangs up there without an answer. At `content`, in the middle of it. */
            readonly kind: "drop";
            readonly at: SmtpPoint | "any";
            /** At the dot: whether the message was taken all the same. */
            readonly accepted?: boolean;
          }
        | {
            /** Answers with bytes that are no reply. */
            readonly kind: "garbage";
            readonly at: SmtpPoint;
          }
      ));

/** Limits a fault of HTTP to requests whose path contains this text. */
type PathLimit = { readonly path?: string };

/** What a stand-in for an HTTP API can be made to do wrong. `accepted`: whether the request took effect all the same. */
export type HttpFault =
  | RefuseFault
  | (FaultLimit &
      PathLimit &
      (
        | { readonly kind: "silence"; readonly accepted?: boolean }
        | { readonly kind: "slow"; readonly delayMs: number }
        | {
            readonly kind: "response";
            readonly status: number;
            readonly headers?: Readonly<Record<string, string>>;
            /** Text as it is; anything else as JSON. */
            readonly body?: unknown;
            readonly accepted?: boolean;
          }
        | { readonly kind: "drop"; readonly accepted?: boolean }
        | { readonly kind: "garbage"; readonly accepted?: boolean }
      ));

/** What the stand-in for Entra ID can be made to do wrong besides: the real error body of an AADSTS number. */
export type EntraFault = HttpFault | (FaultLimit & { readonly kind: "aadsts"; readonly aadsts: number });

export type Fault = SmtpFault | EntraFault;
