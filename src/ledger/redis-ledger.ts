import type { AttemptRecord, Clock, MessageStatus } from "../core/index.ts";
import type { RedisClient } from "../redis/connection.ts";
import { gatherWrites } from "../redis/gather-writes.ts";
import type { LedgerEvent, RecordChange } from "./event.ts";
import { fold, startOf } from "./fold.ts";
import { keysOf } from "./keys.ts";
import type { AttemptKey, Hold, Intervention, Introduction, Ledger, Move, OpenAttempt, Step, Taken } from "./ledger.ts";
import { pack, unpack } from "./packing.ts";
import { INTERVENE, TAKE, WRITE } from "./scripts.ts";
import { isFinal } from "./states.ts";

/** Statuses that a message may be ended from by somebody other than its worker. */
const WAITING: readonly MessageStatus[] = ["deferred", "held"];

/** The scripts as ioredis defines them on a connection: number of keys first. */
type Scripted = RedisClient & {
  ledgerTake(...args: (string | number)[]): Promise<(string | number)[]>;
  ledgerWrite(...args: (string | number)[]): Promise<number>;
  ledgerIntervene(...args: (string | number)[]): Promise<[string, string, number]>;
};

/** The ledger in Redis: two keys a message, which share a hash tag. */
export class RedisLedger implements Ledger {
  readonly #redis: Scripted;
  readonly #clock: Clock;

  constructor(redis: RedisClient, clock: Clock) {
    redis.defineCommand("ledgerTake", { numberOfKeys: 2, lua: TAKE });
    redis.defineCommand("ledgerWrite", { numberOfKeys: 2, lua: WRITE });
    redis.defineCommand("ledgerIntervene", { numberOfKeys: 2, lua: INTERVENE });
    this.#redis = redis as Scripted;
    this.#clock = clock;
  }

  async take(introduction: Introduction, by: string): Promise<Taken> {
    const { id, metadata, jobId, digest, stalledCount, keepMs } = introduction;
    const received = pack(this.#received(introduction, by));
    gatherWrites(this.#redis);
    const answer = (await this.#redis.ledgerTake(...keysOf(id), by, jobId, digest, stalledCount, received)).map(String);
    if (answer[0] === "") return { kind: "duplicate", jobId: answer[1] ?? "", sameContent: answer[2] === "1" };
    const [fence, isNew, stalls, open, provider, mark, ...log] = answer;
    const events = log.map(unpack);
    return {
      kind: "taken",
      hold: { id, fence: Number(fence), by, keepMs },
      isNew: isNew === "1",
      isRetried: stalledCount <= Number(stalls),
      record: fold(id, events, metadata),
      openAttempt: openAttempt(open, provider, mark, events),
    };
  }

  start(hold: Hold, step: Step, attempt: { readonly number: number; readonly provider: string }): Promise<boolean> {
    const { number, provider } = attempt;
    const event: LedgerEvent = { type: "attempt.started", at: this.#clock(), by: hold.by, number, provider };
    return this.#write(hold, step, [event], { open: String(number), provider, mark: "0" });
  }

  /** Names the attempt itself: where the start was lost or comes later, the mark is what counts. */
  mark(hold: Hold, step: Step, { number, provider }: AttemptKey): Promise<boolean> {
    return this.#write(hold, step, [], { open: String(number), provider, mark: "1" });
  }

  end(hold: Hold, step: Step, attempt: AttemptRecord, change: RecordChange, move?: Move): Promise<boolean> {
    const ended: LedgerEvent = { type: "attempt.ended", at: this.#clock(), by: hold.by, attempt, change };
    if (move === undefined) return this.#write(hold, step, [ended], { open: "" });
    return this.#write(hold, step, [ended, this.#moved(hold, move)], { open: "" }, move);
  }

  move(hold: Hold, step: Step, move: Move): Promise<boolean> {
    return this.#write(hold, step, [this.#moved(hold, move)], {}, move);
  }

  async cancel(introduction: Introduction, by: string, reason: string): Promise<Intervention> {
    const { id, metadata, jobId, digest, keepMs } = introduction;
    const received = this.#received(introduction, by);
    const log = await this.log(id);
    const before = fold(id, log.length === 0 ? [received] : log, metadata);
    const recipients = before.recipients.map((recipient) =>
      recipient.status === "pending" ? { ...recipient, status: "refused" as const, reason } : recipient,
    );
    const change: RecordChange = { status: "cancelled", reason, nextAttemptAt: null, uncertainAt: null, recipients };
    const cancelled: LedgerEvent = { type: "message.cancelled", at: this.#clock(), by, change };
    const [status, open, done] = await this.#redis.ledgerIntervene(
      ...keysOf(id),
      pack(received),
      pack(cancelled),
      "cancelled",
      keepMs,
      jobId,
      digest,
      ...WAITING,
    );
    if (done === 1) return { kind: "done", record: fold(id, await this.log(id), metadata) };
    return { kind: "refused", status: status as MessageStatus, underWay: open !== "" };
  }

  async log(id: string): Promise<readonly LedgerEvent[]> {
    const [, logKey] = keysOf(id);
    return (await this.#redis.lrange(logKey, 0, -1)).map(unpack);
  }

  #received({ messageId, class: messageClass, recipients }: Introduction, by: string): LedgerEvent {
    return { type: "message.received", at: this.#clock(), by, messageId, class: messageClass, recipients };
  }

  #moved({ by }: Hold, { type, change }: Move): LedgerEvent {
    return { type, at: this.#clock(), by, change };
  }

  async #write(
    { id, fence, keepMs }: Hold,
    step: Step,
    events: readonly LedgerEvent[],
    state: Readonly<Record<string, string>>,
    move?: Move,
  ): Promise<boolean> {
    const status = move === undefined ? null : (move.change.status ?? "relaying");
    const fields = status === null ? state : { ...state, status };
    gatherWrites(this.#redis);
    const written = await this.#redis.ledgerWrite(
      ...keysOf(id),
      fence,
      step,
      keptFor(move, status, keepMs),
      events.length,
      ...events.map(pack),
      ...Object.entries(fields).flat(),
    );
    return written === 1;
  }
}

/** A final record is kept for its time; one that is opened again, until it has another end. */
function keptFor(move: Move | undefined, status: MessageStatus | null, keepMs: number): number | "always" | "" {
  if (move?.type === "message.retried") return "always";
  return status !== null && isFinal(status) ? keepMs : "";
}

function openAttempt(open = "", provider = "", mark = "0", events: readonly LedgerEvent[] = []): OpenAttempt | null {
  if (open === "") return null;
  const number = Number(open);
  return { number, provider, contentMayBeOut: mark === "1", startedAt: startOf(number, events) };
}
