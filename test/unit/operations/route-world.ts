import type { Routing, Upstream } from "../../../src/delivery/order.ts";
import { deliver } from "../../../src/delivery/deliver.ts";
import { Journal } from "../../../src/delivery/journal.ts";
import type { Resolution } from "../../../src/delivery/round.ts";
import type { ClassSettings } from "../../../src/delivery/policy.ts";
import type { Change } from "../../../src/control/change.ts";
import type { FromMapping, Message, MessageClass, Submission } from "../../../src/core/index.ts";
import { Gate } from "../../../src/gate/gate.ts";
import type { ProviderReport } from "../../../src/gate/fleet/read-fleet.ts";
import type { Limiter } from "../../../src/gate/limits/limiter.ts";
import { formatRoute } from "../../../src/operations/format-route.ts";
import { picturedFleet } from "../../../src/operations/pictured-fleet.ts";
import { overviewOf } from "../../../src/operations/provider-overview.ts";
import { previewRoute } from "../../../src/operations/route-preview.ts";
import type { RoutePreview } from "../../../src/operations/route-preview.ts";
import { redactAddresses } from "../../../src/telemetry/redact-addresses.ts";
import { gateSettings } from "../delivery/round-of.ts";
import { NO_LIMITS } from "../gate/limits/world.ts";
import { MemoryLedger } from "../memory-ledger.ts";
import { ScriptedProvider } from "../scripted-provider.ts";
import { NOW, RAMP, reportOf, usageOf, viewOf, worker } from "./fleet-fixtures.ts";

const HOUR_MS = 3_600_000;

const CLASSES: Readonly<Record<MessageClass, ClassSettings>> = {
  otp: settingsOf(0),
  transactional: settingsOf(30_000),
  bulk: settingsOf(Number.POSITIVE_INFINITY),
};

function settingsOf(maxWaitMs: number): ClassSettings {
  const onUncertain = "resend";
  return {
    giveUpAfterMs: HOUR_MS,
    onUncertain,
    afterVerify: onUncertain,
    whenThrottled: { maxWaitMs },
    hedgeAfterMs: null,
  };
}

/** One provider, and how it stands. */
export type Stand = {
  readonly name: string;
  readonly priority?: number;
  readonly weight?: number;
  readonly report?: Partial<ProviderReport>;
  /** Wait for its next slot; 0 or absent: it may go at once. */
  readonly slotMs?: number;
  /** Its quota of the day is used up until so long from now. */
  readonly quotaMs?: number;
  readonly declines?: "sender" | "content";
  readonly from?: FromMapping;
};

export type RouteWorldParts = {
  readonly stands: readonly Stand[];
  readonly id?: string;
  readonly class?: MessageClass;
  readonly submission?: Partial<Submission>;
  readonly rules?: Routing["rules"];
  readonly changes?: readonly Change[];
};

/** A message, and the providers that it may go to: for asking which way it would go, and for sending it. */
export class RouteWorld {
  readonly message: Message;
  readonly submission: Submission;
  readonly #parts: RouteWorldParts;
  readonly #view;
  readonly #upstreams: Upstream[];
  readonly #routing: Routing;

  constructor(parts: RouteWorldParts) {
    this.#parts = parts;
    const { stands, changes = [], rules = [] } = parts;
    const names = stands.map(({ name }) => name);
    this.#view = viewOf({
      reports: stands.map(({ name, report }) => reportOf(name, report)),
      usage: Object.fromEntries(stands.map((stand) => [stand.name, usageOf(usedBy(stand))])),
      workers: [worker("host:1", Object.fromEntries(names.map((name) => [name, {}])))],
      changes,
    });
    this.#routing = { rules, pools: {}, overlay: () => this.#view.overlay };
    const common = { clock: () => NOW, random: () => 0.5, emit: () => undefined };
    const fleet = picturedFleet(this.#view.reports);
    this.#upstreams = stands.map((stand, index) => {
      const provider = new ScriptedProvider(stand.name);
      if (stand.declines !== undefined) provider.declined = { cause: stand.declines, reason: "it cannot" };
      const breaker = { ...gateSettings.breaker, rampPercents: RAMP.percents, rampStepMs: RAMP.stepMs };
      const gate = new Gate(provider, { ...gateSettings, breaker }, { ...common, fleet, limiter: limiterOf(stand) });
      return { name: stand.name, priority: stand.priority ?? index, weight: stand.weight ?? 1, gate };
    });
    this.submission = submissionOf(parts);
    this.message = messageOf(this.submission, parts.id ?? "m1");
  }

  preview(): RoutePreview {
    const { stands } = this.#parts;
    return previewRoute(this.submission, this.message, {
      upstreams: this.#upstreams,
      routing: this.#routing,
      classes: CLASSES,
      overviews: this.#overviews(),
      slots: new Map(stands.map(({ name, slotMs = 0 }) => [name, { limit: 30, open: 30, waitMs: slotMs }])),
      show: redactAddresses,
      settingsOf: (name) => ({ limits: NO_LIMITS, from: stands.find((stand) => stand.name === name)?.from ?? {} }),
      now: NOW,
    });
  }

  lines(): string[] {
    const { message } = this;
    const mail = { class: message.class, from: message.from.address, recipientCount: 1, sizeBytes: 1_000 };
    const providers = this.#overviews();
    return formatRoute({ ...this.preview(), now: NOW, mail, providers, workerCount: 1, notes: [] }).split("\n");
  }

  /** Sends it, as a worker does. Every provider that is asked takes it. */
  async deliver(): Promise<Resolution> {
    const { message, submission } = this;
    const ledger = new MemoryLedger();
    const { signal } = new AbortController();
    const about = { id: message.id, messageId: message.messageId, class: message.class, jobId: "1", digest: "d" };
    const recipients = message.envelope.rcptTo;
    const introduction = { ...about, recipients, metadata: {}, stalledCount: 0, keepMs: HOUR_MS };
    const taken = await ledger.take(introduction, "worker");
    if (taken.kind !== "taken") throw new Error("there is no other job");
    const journal = new Journal(taken, { ledger, signal, onError: () => undefined });
    const { record, openAttempt } = taken;
    const publish = async (): Promise<void> => undefined;
    const task = { submission, message, record, dueAt: NOW, signal, journal, publish, openAttempt };
    return deliver(task, {
      upstreams: this.#upstreams,
      routing: this.#routing,
      onShifted: () => undefined,
      classes: CLASSES,
      backoff: { delaysMs: [30_000], otpDelaysMs: [2_000], jitterPercent: 0 },
      attemptTimeoutMs: 60_000,
      clock: () => NOW,
      random: () => 0.5,
      emit: () => undefined,
    });
  }

  close(): void {
    for (const { gate } of this.#upstreams) gate.close();
  }

  #overviews() {
    const configured = this.#upstreams.map(({ name, priority, weight }) => ({ name, priority, weight, kind: "smtp" }));
    return overviewOf(configured, this.#view, { ramp: RAMP, show: redactAddresses });
  }
}

function usedBy({ slotMs = 0, quotaMs = 0 }: Stand) {
  return {
    ...(slotMs === 0 ? {} : { minute: { used: 30, booked: 0, limit: 30, pace: 1 } }),
    ...(quotaMs === 0 ? {} : { day: { used: 500, limit: 500, resetsAt: NOW + quotaMs } }),
  };
}

/** Grants and refuses as the limits of the fleet would. */
function limiterOf({ slotMs = 0, quotaMs = 0 }: Stand): Limiter {
  const later = (cause: "rate" | "recipients", waitMs: number, booked: boolean) =>
    ({ kind: "later", at: NOW + waitMs, booked, cause, reason: "used up" }) as const;
  return {
    reserve: async ({ bookWithinMs }) => {
      if (quotaMs > 0) return later("recipients", quotaMs, false);
      if (slotMs > 0) return later("rate", slotMs, slotMs <= bookWithinMs);
      return { kind: "granted", end: () => undefined };
    },
    release: () => undefined,
    tooFast: () => undefined,
  };
}

function submissionOf({ class: messageClass = "transactional", submission = {} }: RouteWorldParts): Submission {
  return {
    envelope: { mailFrom: "app@contoso.com", rcptTo: ["ann@example.org"] },
    from: { name: null, address: "app@contoso.com" },
    content: { kind: "raw", raw: Buffer.alloc(0) },
    class: messageClass,
    tags: [],
    tenant: null,
    metadata: {},
    providers: null,
    expiresAt: null,
    sendAt: null,
    onUncertain: null,
    whenThrottled: null,
    dsn: false,
    idempotencyKey: null,
    ...submission,
  };
}

function messageOf(submission: Submission, id: string): Message {
  const { envelope, from, tags, tenant, metadata } = submission;
  const about = { id, messageId: `<${id}@contoso.com>`, date: new Date(NOW) };
  return {
    ...about,
    envelope,
    from,
    class: submission.class,
    tags,
    tenant,
    metadata,
    parts: null,
    mime: Buffer.alloc(1_000),
  };
}
