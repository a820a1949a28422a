import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { BreakerState, GatewayEvent } from "../core/index.ts";

/** A provider as its gate has it now. `percent`: share of its mail that it may get, 0 to 100; 0 while it is shut or paused. */
export type ObservedProvider = {
  readonly name: string;
  readonly percent: number;
  readonly breaker: BreakerState;
  readonly isPaused: boolean;
};

export type MetricDescription = {
  readonly name: string;
  /** counter, gauge or histogram. */
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
};

const BREAKER_STATES: readonly BreakerState[] = ["closed", "half-open", "open"];

/** Of attempts, in seconds: a good one takes tens of milliseconds, a lost one as long as the provider's time limits. */
const DURATION_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/**
 * What one gateway counts, for Prometheus. Names and units follow its conventions. Nothing in here is an address, a
 * subject or a reply: labels are names of providers, outcomes and causes.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #messages: Counter<"status">;
  readonly #attempts: Counter<"provider" | "outcome" | "cause">;
  readonly #durations: Histogram<"provider" | "outcome">;
  readonly #unknownReplies: Counter<"provider">;
  readonly #probes: Counter<"provider" | "result">;
  readonly #perMinute: Gauge<"provider">;

  /** `observe` is asked whenever somebody reads. */
  constructor(observe: () => readonly ObservedProvider[]) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#messages = new Counter({
      name: "mailover_messages_total",
      help: "Messages by what became of them; a deferred one counts at each deferral.",
      labelNames: ["status"],
      registers,
    });
    this.#attempts = new Counter({
      name: "mailover_attempts_total",
      help: "Attempts by provider, outcome and cause; the cause of a relayed one is empty.",
      labelNames: ["provider", "outcome", "cause"],
      registers,
    });
    this.#durations = new Histogram({
      name: "mailover_attempt_duration_seconds",
      help: "Time from an attempt's start to its outcome.",
      labelNames: ["provider", "outcome"],
      buckets: DURATION_BUCKETS,
      registers,
    });
    this.#unknownReplies = new Counter({
      name: "mailover_unknown_replies_total",
      help: "Replies that no rule knows; each is in the log, word for word.",
      labelNames: ["provider"],
      registers,
    });
    this.#probes = new Counter({
      name: "mailover_probes_total",
      help: "Probes that this gateway made of a provider that was shut.",
      labelNames: ["provider", "result"],
      registers,
    });
    this.#perMinute = new Gauge({
      name: "mailover_limit_messages_per_minute",
      help: "Messages a minute that the provider takes from all gateways, since it said that we are too fast.",
      labelNames: ["provider"],
      registers,
    });
    this.#watch(observe, registers);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All of it, in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Every metric of a gateway's own, for the documentation. */
  async describe(): Promise<readonly MetricDescription[]> {
    const all = await this.#registry.getMetricsAsJSON();
    return all
      .filter(({ name }) => name.startsWith("mailover_"))
      .map(({ name, type, help }) => ({ name, type: String(type), help, labels: labelsOf(this.#registry, name) }));
  }

  /** Counts an event of the gateway. */
  readonly event = (event: GatewayEvent): void => {
    switch (event.type) {
      case "message.refused":
      case "message.relayed":
      case "message.deferred":
      case "message.held":
      case "message.bounced":
      case "message.expired":
      case "message.cancelled":
        return this.#messages.inc({ status: event.type.slice("message.".length) });
      case "attempt.ended":
        return this.#attemptEnded(event);
      case "probe.ended":
        return this.#probes.inc({ provider: event.provider, result: event.ok ? "good" : "failed" });
      case "limit.changed":
        return this.#perMinute.set({ provider: event.provider }, event.perMinute);
      default:
        return undefined;
    }
  };

  #attemptEnded(event: Extract<GatewayEvent, { type: "attempt.ended" }>): void {
    const { provider, outcome, cause, rule, durationMs } = event;
    this.#attempts.inc({ provider, outcome, cause: cause ?? "" });
    this.#durations.observe({ provider, outcome }, durationMs / 1000);
    // What no rule knows is taken for `busy`.
    if (cause === "busy" && rule === null) this.#unknownReplies.inc({ provider });
  }

  #watch(observe: () => readonly ObservedProvider[], registers: Registry[]): void {
    const percent = new Gauge({
      name: "mailover_provider_percent",
      help: "Share of its mail that the provider may get now from this gateway: 0 while it is shut, less than 100 on its way back or while it is slow.",
      labelNames: ["provider"],
      registers,
      collect() {
        for (const { name, percent: share } of observe()) percent.set({ provider: name }, share);
      },
    });
    const breaker = new Gauge({
      name: "mailover_breaker_state",
      help: "1 for the state that this gateway's breaker of the provider is in, 0 for the others.",
      labelNames: ["provider", "state"],
      registers,
      collect() {
        for (const { name, breaker: current } of observe()) {
          for (const state of BREAKER_STATES) breaker.set({ provider: name, state }, state === current ? 1 : 0);
        }
      },
    });
    const paused = new Gauge({
      name: "mailover_provider_paused",
      help: "1 while the provider asked for patience: it throttles, or a quota is used up.",
      labelNames: ["provider"],
      registers,
      collect() {
        for (const { name, isPaused } of observe()) paused.set({ provider: name }, isPaused ? 1 : 0);
      },
    });
  }
}

/** prom-client keeps them on each metric, and does not declare them. */
function labelsOf(registry: Registry, name: string): readonly string[] {
  const metric = registry.getSingleMetric(name) as { readonly labelNames?: readonly string[] } | undefined;
  return metric?.labelNames ?? [];
}
