/** What the stand-in for Exchange Online allows. Mailboxes are addresses in lower case. */
export type ExchangeRules = {
  /** The mailboxes there are; null: any address is one. */
  readonly mailboxes: readonly string[] | null;
  /** The switch SmtpClientAuthenticationDisabled of the tenant, and of single mailboxes. */
  readonly smtpAuthDisabledForTenant: boolean;
  readonly smtpAuthDisabledFor: readonly string[];
  /** What the answer to a password is. */
  readonly basicAuth: "disabled" | "retired";
  /** Mailboxes without a licence. */
  readonly unlicensed: readonly string[];
  /** Mailboxes that the app has no permission on. */
  readonly forbidden: readonly string[];
  /** By mailbox: what it may send as, beside itself. */
  readonly sendAs: Readonly<Record<string, readonly string[]>>;
  /** Mailboxes that are full. */
  readonly full: readonly string[];
  readonly connectionsPerMailbox: number;
  readonly messagesPerMinute: number;
  /** What becomes of messages beyond that: answered in the minute they belong to, refused, or nothing. */
  readonly overRate: "delay" | "432" | "off";
  readonly recipientsPerDay: number;
  readonly recipientsPerMessage: number;
  readonly maxMessageBytes: number;
  /** Refusals in a row for SendAs, a full mailbox or recipients after which the mailbox is blocked; Infinity: never. */
  readonly blockedAfterRefusals: number;
};

/** The limits of Exchange Online as Microsoft documents them (Learn, "Exchange Online limits", 2025-12). */
export const DEFAULT_EXCHANGE_RULES: ExchangeRules = {
  mailboxes: null,
  smtpAuthDisabledForTenant: false,
  smtpAuthDisabledFor: [],
  basicAuth: "disabled",
  unlicensed: [],
  forbidden: [],
  sendAs: {},
  full: [],
  connectionsPerMailbox: 3,
  messagesPerMinute: 30,
  overRate: "delay",
  recipientsPerDay: 10_000,
  recipientsPerMessage: 500,
  maxMessageBytes: 36_700_160,
  blockedAfterRefusals: Infinity,
};
