/** A mailbox of RFC 5322: an address and, where there is one, a display name. */
export type Mailbox = { readonly name: string | null; readonly address: string };

/** Who the transaction is from and for (RFC 5321); not the From and To headers. An empty `mailFrom` is the null sender. */
export type Envelope = { readonly mailFrom: string; readonly rcptTo: readonly string[] };

export const MESSAGE_CLASSES = ["otp", "transactional", "bulk"] as const;
export type MessageClass = (typeof MESSAGE_CLASSES)[number];

/**
 * What to do when a provider may, or may not, have accepted the message: the next provider at once, the same provider
 * again, or nothing until an operator says so.
 */
export type UncertainPolicy = "resend" | "retry" | "hold";

/** How long a message waits for a throttled provider before the next one takes it; Infinity waits for good. */
export type ThrottlePolicy = { readonly maxWaitMs: number };

export type Attachment = {
  readonly filename: string | null;
  readonly contentType: string | null;
  readonly content: Buffer;
  /** Content-ID without angle brackets, for parts that the HTML refers to. */
  readonly cid: string | null;
  readonly disposition: "attachment" | "inline";
};

export type CalendarEvent = { readonly method: string; readonly filename: string | null; readonly content: string };

/** A header field of the app's own. The value is unfolded and holds no CR, LF or NUL. */
export type Header = { readonly name: string; readonly value: string };

/** What the composed parts of a message are, before they become MIME. */
export type MessageParts = {
  readonly from: Mailbox;
  readonly to: readonly Mailbox[];
  readonly cc: readonly Mailbox[];
  readonly bcc: readonly Mailbox[];
  readonly replyTo: readonly Mailbox[];
  readonly subject: string;
  readonly text: string | null;
  readonly html: string | null;
  readonly headers: readonly Header[];
  readonly attachments: readonly Attachment[];
  readonly calendar: CalendarEvent | null;
};

/** An attachment as the app gave it: its content, or where to read it from. */
export type AttachmentSource = Omit<Attachment, "content"> & {
  readonly source:
    | { readonly kind: "content"; readonly content: Buffer }
    | { readonly kind: "path"; readonly path: string }
    | { readonly kind: "href"; readonly href: string };
};

/** A checked submission: what an app asked for, parsed once at the edge. Attachments are not read yet. */
export type Submission = {
  readonly envelope: Envelope;
  readonly from: Mailbox;
  readonly content:
    | {
        readonly kind: "parts";
        readonly parts: Omit<MessageParts, "attachments">;
        readonly attachments: readonly AttachmentSource[];
      }
    | { readonly kind: "raw"; readonly raw: Buffer };
  readonly class: MessageClass;
  readonly tags: readonly string[];
  readonly tenant: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Under the same key there is one message, whatever job brings it; null: each job is its own. */
  readonly idempotencyKey: string | null;
  /** Narrows the route to these, in this order; null leaves it as configured. */
  readonly providers: readonly string[] | null;
  readonly expiresAt: Date | null;
  readonly sendAt: Date | null;
  /** The app's own choices over its class's; null leaves the class's. */
  readonly onUncertain: UncertainPolicy | "verify" | null;
  readonly whenThrottled: ThrottlePolicy | null;
  /** Whether the envelope sender gets a delivery report about recipients that were not reached (RFC 3464). */
  readonly dsn: boolean;
};

/** A checked message, as it is given to providers. Everything in it is trusted; nobody checks again. */
export type Message = {
  /** Mailover's own id, the same on every attempt; also the header X-Mailover-Id. */
  readonly id: string;
  /** Message-ID with its angle brackets, the same on every attempt and at every provider. */
  readonly messageId: string;
  readonly date: Date;
  readonly envelope: Envelope;
  /** The From header's mailbox, also for a raw message. */
  readonly from: Mailbox;
  readonly class: MessageClass;
  readonly tags: readonly string[];
  readonly tenant: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Parts of a message that Mailover composes, or null where the app gave finished MIME. */
  readonly parts: MessageParts | null;
  /** The whole message as MIME, composed once, CRLF line ends, without Bcc. */
  readonly mime: Buffer;
};

/** The domain of an address, in lower case. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1).toLowerCase();
}
