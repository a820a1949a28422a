import { newRecord } from "../../../src/core/index.ts";
import type { DeliveryRecord, GatewayEvent, Message, Submission } from "../../../src/core/index.ts";
import { deliver } from "../../../src/delivery/deliver.ts";
import { Journal } from "../../../src/delivery/journal.ts";
import { BY_PRIORITY } from "../../../src/delivery/order.ts";
import type { DeliveryParts, Resolution } from "../../../src/delivery/round.ts";
import { Gate } from "../../../src/gate/gate.ts";
import type { GateSettings } from "../../../src/gate/gate.ts";
import type { Limiter } from "../../../src/gate/limits/limiter.ts";
import { MemoryLedger } from "../memory-ledger.ts";
import type { ScriptedProvider } from "../scripted-provider.ts";

export const gateSettings: GateSettings = {
  breaker: {
    windowMs: 10_000,
    minimumCalls: 5,
    openAtPercent: 50,
    consecutiveFailures: 3,
    openMs: 1_000,
    openMaxMs: 60_000,
    openGrowth: 2,
    jitterPercent: 0,
    probeTimeoutMs: 5_000,
    authOpenMs: 30_000,
    uncertainOpenMs: 20_000,
    rampPercents: [],
    rampStepMs: 1_000,
  },
  brownout: { factor: 4, leastMs: 500, windowMs: 30_000, minimumCalls: 20 },
  throttle: { pauseMs: 10_000, pauseMaxMs: 300_000, growth: 2 },
  senderRememberMs: 3_600_000,
  slowAfterMs: 2_000,
};

const HOUR_MS = 3_600_000;

export type DeskOptions = {
  readonly mimeBytes?: number;
  /** Of each provider, in order; none where there are fewer. */
  readonly limiters?: readonly Limiter[];
  /** Priorities in order; each its own where absent. */
  readonly priorities?: readonly number[];
  readonly hedgeAfterMs?: number;
};

/** A message and the house that delivers it, with providers that follow scripts. Time is vitest's fake time. */
export class Desk {
  readonly events: GatewayEvent[] = [];
  readonly saved: DeliveryRecord[] = [];
  readonly ledger = new MemoryLedger();
  readonly gates: Gate[];
  readonly dueAt = Date.now();
  record: DeliveryRecord;
  readonly message: Message;
  readonly submission: Submission;
  readonly controller = new AbortController();
  readonly #parts: DeliveryParts;

  constructor(
    providers: readonly ScriptedProvider[],
    submission: Partial<Submission> = {},
    { mimeBytes = 1_000, ...more }: DeskOptions = {},
  ) {
    const envelope = submission.envelope ?? { mailFrom: "app@contoso.com", rcptTo: ["ann@example.org"] };
    const from = { name: null, address: "app@contoso.com" };
    this.submission = {
      envelope,
      from,
      content: { kind: "raw", raw: Buffer.alloc(0) },
      class: "transactional",
      tags: [],
      tenant: null,
      metadata: { order: 7 },
      providers: null,
      expiresAt: null,
      sendAt: null,
      onUncertain: null,
      whenThrottled: null,
      dsn: false,
      idempotencyKey: null,
      ...submission,
    };
    this.message = {
      id: "m1",
      messageId: "<m1@contoso.com>",
      date: new Date(0),
      envelope,
      from,
      class: this.submission.class,
      tags: [],
      tenant: null,
      metadata: { order: 7 },
      parts: null,
      mime: Buffer.alloc(mimeBytes),
    };
    this.record = newRecord({ ...this.message, recipients: envelope.rcptTo });
    const common = { clock: Date.now, random: () => 0, emit: (event: GatewayEvent) => void this.events.push(event) };
    this.gates = providers.map((provider, index) => {
      const limiter = more.limiters?.[index];
      return new Gate(provider, gateSettings, { ...common, ...(limiter === undefined ? {} : { limiter }) });
    });
    this.#parts = {
      ...common,
      upstreams: this.gates.map((gate, index) => ({
        name: gate.provider.name,
        priority: more.priorities?.[index] ?? index,
        weight: 1,
        gate,
      })),
      routing: BY_PRIORITY,
      onShifted: () => undefined,
      classes: {
        otp: {
          giveUpAfterMs: HOUR_MS / 6,
          onUncertain: "resend",
          afterVerify: "resend",
          whenThrottled: { maxWaitMs: 0 },
          hedgeAfterMs: null,
        },
        transactional: {
          giveUpAfterMs: 72 * HOUR_MS,
          onUncertain: "verify",
          afterVerify: "retry",
          whenThrottled: { maxWaitMs: 30_000 },
          hedgeAfterMs: more.hedgeAfterMs ?? null,
        },
        bulk: {
          giveUpAfterMs: 72 * HOUR_MS,
          onUncertain: "verify",
          afterVerify: "hold",
          whenThrottled: { maxWaitMs: Number.POSITIVE_INFINITY },
          hedgeAfterMs: null,
        },
      },
      backoff: { delaysMs: [30_000, 60_000], otpDelaysMs: [2_000], jitterPercent: 0 },
      attemptTimeoutMs: 180_000,
    };
  }

  /** One round, as the worker makes it: from what the ledger knows, and back into it. */
  async round(): Promise<Resolution> {
    const { submission, message, dueAt } = this;
    const { signal } = this.controller;
    const taken = await this.ledger.take(
      {
        id: message.id,
        messageId: message.messageId,
        class: message.class,
        recipients: message.envelope.rcptTo,
        metadata: message.metadata,
        jobId: "1",
        digest: "d",
        stalledCount: 0,
        keepMs: HOUR_MS,
      },
      "worker",
    );
    if (taken.kind !== "taken") throw new Error("there is no other job");
    const journal = new Journal(taken, { ledger: this.ledger, signal, onError: () => undefined });
    const publish = async (record: DeliveryRecord): Promise<void> => void this.saved.push(record);
    const { record, openAttempt } = taken;
    const task = { submission, message, record, dueAt, signal, journal, publish, openAttempt };
    const resolution = await deliver(task, this.#parts);
    const { status } = resolution.record;
    if (resolution.kind !== "handed-back" && status !== "relaying")
      await journal.conclude(resolution.record, `message.${status}`);
    this.record = resolution.record;
    return resolution;
  }

  close(): void {
    for (const gate of this.gates) gate.close();
  }
}
