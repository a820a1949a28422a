import type { Clock } from "./clock.ts";
import type { LimitSettings } from "./limits.ts";
import type { Message } from "./message.ts";
import type { Failure, Outcome } from "./outcome.ts";
import type { Rule } from "./rule.ts";
import type { Stage } from "./stage.ts";

/** What one attempt hands over. */
export type Transmission = {
  readonly message: Message;
  /** The recipients of this attempt: those of the envelope that still wait. Never empty. */
  readonly recipients: readonly string[];
};

export type SendOptions = {
  /** Stops the attempt. When it aborts after the content went out, the outcome is uncertain. */
  readonly signal: AbortSignal;
  /** Told of each stage as it begins. */
  readonly onStage: (stage: Stage) => void;
  /**
   * To be awaited before the last bytes of the content may leave (`send` only, absent where nobody asks). False, or a
   * rejection: they must not leave, since the message is another worker's by now, or cannot be recorded; the attempt ends
   * there, as if it were stopped.
   */
  readonly commit?: () => Promise<boolean>;
};

export type Capabilities = {
  /** Largest message it takes, in bytes of MIME. */
  readonly maxMessageBytes: number;
  readonly maxRecipients: number;
  /** Attempts it runs at once; further ones wait in stage `queue`. */
  readonly maxConnections: number;
  /** How long it keeps a connection open that no attempt uses, in milliseconds. Absent: not beyond the attempt. */
  readonly idleConnectionMs?: number;
  /** Whether it takes finished MIME as it is. */
  readonly raw: boolean;
};

/** What a check of a provider, without mail, came to. */
export type Verification =
  | { readonly ok: true; readonly stages: readonly Stage[] }
  | { readonly ok: false; readonly stages: readonly Stage[]; readonly failure: Failure };

/**
 * Why a provider cannot take a message. `sender`: it may not send as its From, which an operator can mend, so that the
 * message waits where no other provider takes it. `content`: it cannot carry it, and that stays so.
 */
export type Declination = { readonly cause: "sender" | "content"; readonly reason: string };

/** What is known of a message whose answer was lost, for finding it at the provider. */
export type SoughtMessage = Pick<Message, "id" | "messageId" | "date" | "from">;

/**
 * What a provider says about a message whose answer was lost. `absent` is said only where nothing else can be: a wrong one
 * makes a second copy. `unknown`: it cannot tell, or not yet. Sentences for people, without secrets and content.
 */
export type Lookup =
  | { readonly kind: "accepted"; readonly remoteId: string | null; readonly evidence: string }
  | { readonly kind: "absent"; readonly evidence: string }
  | { readonly kind: "unknown"; readonly reason: string };

/** A named upstream that takes responsibility for mail we hand it. */
export interface Provider {
  readonly name: string;
  readonly kind: string;
  readonly capabilities: Capabilities;

  /** Without I/O: why this provider cannot take this message (its From, its MIME), or null when it can. */
  declines(message: Message): Declination | null;

  /**
   * Makes one attempt and says what came of it. Does not retry elsewhere. A failed delivery is a returned outcome; a
   * throw is a defect.
   */
  send(transmission: Transmission, options: SendOptions): Promise<Outcome>;

  /** Checks credentials and reachability in stages, without sending mail. */
  verify(options: SendOptions): Promise<Verification>;

  /**
   * Asks whether an attempt that ended uncertain was accepted. Missing where the provider cannot tell. `recipients` are
   * those of the attempt, `attemptedAt` is when it began (epoch milliseconds): what an earlier attempt left there does not
   * count. Sends no mail, never throws; when `signal` aborts the answer is `unknown`.
   */
  lookup?(
    message: SoughtMessage,
    recipients: readonly string[],
    attemptedAt: number,
    options: { readonly signal: AbortSignal },
  ): Promise<Lookup>;

  /** Ends connections and timers. Attempts and look-ups under way are aborted. */
  close(): Promise<void>;
}

/**
 * Told of what happens inside a provider beside its outcomes. `fields` hold no secret and no address; `reason` and `remedy`
 * among them are for people, and one with a remedy is logged as a warning.
 */
export type Notice = (event: string, fields: Readonly<Record<string, string | number | boolean>>) => void;

/**
 * What the gateways of a fleet keep for one another. Whoever reads the store reads it: secrets are sealed before. No call
 * throws or takes more than a second; while the store is away nothing is kept, and whoever asks leads.
 */
export interface SharedCache {
  /** What stands under a key, and for how long it still does, by the store's clock; null: nothing. */
  get(key: string): Promise<{ readonly value: string; readonly ttlMs: number } | null>;
  /** Replaces what stood there. */
  set(key: string, value: string, ttlMs: number): Promise<void>;
  /** Whether the caller is to do the work that a key names: the first who asks is, and then nobody for `ttlMs`. */
  lead(key: string, ttlMs: number): Promise<boolean>;
}

export type ProviderContext = {
  readonly clock: Clock;
  readonly notice: Notice;
  /** Absent where there is no fleet: a check from the command line, a test. */
  readonly cache?: SharedCache;
};

/** The part of a schema library that Mailover relies on; zod 4 satisfies it. */
export interface SettingsSchema<T> {
  safeParse(value: unknown):
    | { readonly success: true; readonly data: T }
    | {
        readonly success: false;
        readonly error: {
          readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
        };
      };
}

/** A kind of provider: how to read its settings and how to make one. */
export interface ProviderDefinition<Settings extends RoutingSettings = RoutingSettings> {
  readonly kind: string;
  readonly settings: SettingsSchema<Settings>;
  /** Paths of settings that are secrets: hidden wherever settings are shown, and readable from files. */
  readonly secrets: readonly string[];
  /**
   * A required text, `each`, in whose place a configuration may give a `list` of them: each entry is then a provider of its
   * own, `<name>-1`, `<name>-2` and so on, with the other settings in common. The schema knows `each` only.
   */
  readonly pool?: { readonly each: string; readonly list: string };
  /** What its replies mean; first match wins. */
  readonly rules: readonly Rule[];
  create(name: string, settings: Settings, context: ProviderContext): Provider;
}

/** What every provider's settings hold, whatever its kind. */
export type RoutingSettings = {
  /** Lower is tried first. */
  readonly priority: number;
  /** Share among providers of equal priority. */
  readonly weight: number;
  /** What may be sent through it at most. Absent: as much as it takes. */
  readonly limits?: LimitSettings | undefined;
};

/** Types a provider's definition; it changes nothing. */
export function defineProvider<Settings extends RoutingSettings>(
  definition: ProviderDefinition<Settings>,
): ProviderDefinition<Settings> {
  return definition;
}
