/** What the stand-in for Microsoft Graph shows. Mailboxes are addresses in lower case. */
export type GraphRules = {
  /** The mailboxes there are; null: any address is one. */
  readonly mailboxes: readonly string[] | null;
  /** The mailboxes that the app may read; null: all. */
  readonly readable: readonly string[] | null;
  /** The switch MessageCopyForSMTPClientSubmissionEnabled: whether accepted messages come into Sent Items. */
  readonly keepsCopies: boolean;
  /** How long after it was accepted the copy is there. */
  readonly copyDelayMs: number;
  /** Whether Exchange replaces Message-IDs by its own. */
  readonly replacesMessageIds: boolean;
  /** Whether the header fields of a copy can be read. */
  readonly showsHeaders: boolean;
  /** Messages in one answer, whatever `$top` is. */
  readonly pageSize: number;
};

export const DEFAULT_GRAPH_RULES: GraphRules = {
  mailboxes: null,
  readable: null,
  keepsCopies: true,
  copyDelayMs: 0,
  replacesMessageIds: false,
  showsHeaders: true,
  pageSize: 1_000,
};
