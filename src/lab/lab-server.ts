import type { Fault } from "./fault.ts";
import type { AcceptedMessage } from "./mailbag.ts";
import type { TranscriptLine } from "./transcript.ts";

/** A stand-in for a provider: a real server on loopback. */
export interface LabServer<F extends Fault = Fault> {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The certificate that clients must trust, PEM; null where it speaks no TLS. */
  readonly ca: string | null;
  /** Messages accepted since the start or the last `clear`, oldest first. */
  readonly accepted: readonly AcceptedMessage[];
  /** Connections that are open now. */
  readonly connections: number;
  /** Connections since the start. */
  readonly connectionCount: number;
  readonly faults: readonly F[];
  /** The last thousand or so commands and replies, without secrets and content. */
  readonly transcript: readonly TranscriptLine[];

  /** Sets one fault in place of all that are set; null sets none. Resolves when the socket is open or shut accordingly. */
  setFault(fault: F | null): Promise<void>;
  /** Sets several at once. For each command the first in the list that strikes has its way; delays come on top. */
  setFaults(faults: readonly F[]): Promise<void>;
  /** Calls back for each message as it is accepted. Returns what ends that. */
  onAccepted(listener: (message: AcceptedMessage) => void): () => void;
  /** Forgets accepted messages, the transcript and what rules have counted. Faults stay. */
  clear(): void;
  /** Hangs up on everyone and stops listening. */
  close(): Promise<void>;
}
