import type { Mailbox, Provider, Rule, Stage } from "../core/index.ts";

/**
 * What goes wrong at one point of an attempt.
 * - `refuse`: the stand-in answers there that it will not; at `connect` the connection is refused.
 * - `repeat-secrets`: the same, and its answer repeats the secrets it was told.
 * - `silence`, `drop`: it never answers, or hangs up without an answer.
 * - `take-then-silence`, `take-then-drop`: likewise, but the message was taken. Only where the content may be out.
 */
export type Trouble = "refuse" | "repeat-secrets" | "silence" | "drop" | "take-then-silence" | "take-then-drop";

/** A message that a stand-in took, as it came there. */
export type Received = {
  readonly recipients: readonly string[];
  readonly messageId: string | null;
  /** The header X-Mailover-Id. */
  readonly mailoverId: string | null;
  readonly content:
    | {
        readonly kind: "mime";
        /** The envelope's sender; empty for the null sender. */
        readonly mailFrom: string;
        readonly bytes: Buffer;
      }
    | {
        readonly kind: "parts";
        readonly from: Mailbox;
        readonly to: readonly Mailbox[];
        readonly subject: string;
        readonly text: string | null;
        readonly html: string | null;
        readonly files: readonly { readonly filename: string; readonly content: Buffer }[];
      };
};

/** One provider with a stand-in of its upstream. */
export type Bench = {
  readonly provider: Provider;
  /** Texts that must appear nowhere: credentials, and the tokens made of them. */
  readonly secrets: readonly string[];
  /** What the stand-in has taken since the start, oldest first. */
  received(): readonly Received[];
  /** Connections that the provider has open now, to all servers of the stand-in. */
  connectionCount(): number;
  /** Has the stand-in break at a point, from now on, in place of what it was told before. */
  fail(at: Stage, trouble: Trouble): Promise<void>;
  /** Has it work again. */
  mend(): Promise<void>;
  /** All notices of the provider, and whatever else it wrote. */
  logged(): string;
  /** Ends the stand-in. The provider is closed by then. */
  close(): Promise<void>;
};

export type BenchOptions = {
  /** Whether the provider's own time limits are to be short: some hundred milliseconds each. */
  readonly impatient: boolean;
};

/** A kind of provider as the suite sees it: what to expect of it, and how to make one beside a stand-in. */
export type ConformanceSubject = {
  readonly kind: string;
  /** The rules of its definition: every failure names one of them, or none. */
  readonly rules: readonly Rule[];
  /** Stages that a successful attempt on a new connection passes, in order. */
  readonly stages: readonly Stage[];
  /** Those that a check passes. */
  readonly verifyStages: readonly Stage[];
  /** Where the stand-in can break, and how. */
  readonly troubles: Readonly<Partial<Record<Stage, readonly Trouble[]>>>;
  /** An address it may send as. */
  readonly from: string;
  /** Two addresses that the stand-in refuses for good while it takes others. */
  readonly unwanted: readonly [string, string];
  open(options: BenchOptions): Promise<Bench>;
};

/** One case of the suite. `run` rejects, with an error of node:assert, where the provider does not conform. */
export type ConformanceCase = { readonly name: string; run(): Promise<void> };
