/** What a message may be at most, and where its attachments may be read from. Filled from the configuration. */
export type MessageLimits = {
  /** Distinct recipients of the envelope. */
  readonly maxRecipients: number;
  /** Header fields of the app's own. */
  readonly maxHeaderCount: number;
  /** Names and values of the app's own header fields together; of a raw message its whole header. */
  readonly maxHeaderBytes: number;
  readonly maxAttachments: number;
  /** The whole message as MIME. */
  readonly maxSizeBytes: number;
  /** Folders that `path` may lie in, at any depth. Empty: no file is read. */
  readonly attachmentFolders: readonly string[];
  /** Servers that `href` may name: `host` or `host:port` for https, `http://host:port` for http. Empty: nothing is fetched. */
  readonly attachmentHosts: readonly string[];
  /** For one attachment to be read or fetched. */
  readonly attachmentTimeoutMs: number;
};

/** Small enough for the header limits of Exchange (256 KB) and others; 500 recipients is what Exchange Online takes. */
export const defaultLimits: MessageLimits = {
  maxRecipients: 500,
  maxHeaderCount: 100,
  maxHeaderBytes: 65_536,
  maxAttachments: 100,
  maxSizeBytes: 50 * 1024 * 1024,
  attachmentFolders: [],
  attachmentHosts: [],
  attachmentTimeoutMs: 30_000,
};
