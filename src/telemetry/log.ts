import { pino } from "pino";
import type { DestinationStream, Logger } from "pino";
import type { GatewayEvent } from "../core/index.ts";
import { prettyStream } from "./pretty.ts";
import { redactAddresses } from "./redact-addresses.ts";

export type LogSettings = {
  readonly level: string;
  /** Whether mail addresses are shown in full. */
  readonly addresses: boolean;
  /** Lines for people in place of JSON; `auto`: where the output is a terminal. */
  readonly pretty: boolean | "auto";
};

type Moved = Extract<GatewayEvent, { record: unknown }>;
type Of<Type extends GatewayEvent["type"]> = Extract<GatewayEvent, { type: Type }>;

/** The log: one method an event, so that wording and fields live in one place. Secrets and content have no way in here. */
export class Log {
  readonly #logger: Logger;
  readonly #show: (text: string) => string;

  constructor(settings: LogSettings, output: DestinationStream & { isTTY?: boolean } = process.stdout) {
    const pretty = settings.pretty === "auto" ? output.isTTY === true : settings.pretty;
    this.#show = settings.addresses ? (text) => text : redactAddresses;
    this.#logger = pino(
      {
        level: settings.level,
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (level) => ({ level }) },
      },
      pretty ? prettyStream(output) : output,
    );
  }

  /** Logs an event of the gateway. */
  readonly event = (event: GatewayEvent): void => {
    switch (event.type) {
      case "message.received":
        return this.messageReceived(event);
      case "message.refused":
        return this.messageRefused(event);
      case "attempt.started":
        return this.attemptStarted(event);
      case "attempt.ended":
        return this.attemptEnded(event);
      case "message.relayed":
        return this.messageRelayed(event);
      case "message.deferred":
      case "message.held":
        return this.messageWaits(event);
      case "message.bounced":
      case "message.expired":
      case "message.cancelled":
        return this.messageFailed(event);
      case "breaker.changed":
        return this.breakerChanged(event);
      case "probe.ended":
        return this.probeEnded(event);
      case "gate.paused":
        return this.gatePaused(event);
      case "fleet.changed":
        return this.fleetChanged(event);
      case "ramp.stepped":
        return this.rampStepped(event);
      case "gate.slowed":
        return this.gateSlowed(event);
      case "limit.changed":
        return this.limitChanged(event);
      case "quota.warned":
        return this.quotaWarned(event);
      case "control.changed":
        return this.controlChanged(event);
      case "cutover.stepped":
        return this.cutoverStepped(event);
      case "provider.noticed":
        return this.providerNoticed(event);
    }
  };

  gatewayStarted(fields: {
    readonly environment: string;
    readonly providers: readonly string[];
    readonly queue: string;
    /** Where the metrics are, if anywhere. */
    readonly metrics?: string;
  }): void {
    this.#logger.info({ event: "gateway.started", ...fields }, `gateway started: ${fields.providers.join(", ")}`);
  }

  gatewayStopping(signal: string): void {
    this.#logger.info({ event: "gateway.stopping", signal }, `${signal}: no new jobs, attempts under way end`);
  }

  gatewayStopped(): void {
    this.#logger.info({ event: "gateway.stopped" }, "gateway stopped");
  }

  storeNoted(sentence: string): void {
    this.#logger.info({ event: "store.noted" }, sentence);
  }

  storeWarned(sentence: string): void {
    this.#logger.warn({ event: "store.warned" }, sentence);
  }

  configWarned(sentence: string): void {
    this.#logger.warn({ event: "config.warned" }, sentence);
  }

  /** A defect, or Redis away. The work goes on or is tried again. */
  troubled(where: string, error: unknown): void {
    const reason = this.#show(error instanceof Error ? error.message : String(error));
    this.#logger.error({ event: "gateway.troubled", where, reason }, `${where}: ${reason}`);
  }

  /** One try to tell an endpoint of an event. It is tried again, unless it was the last. */
  readonly webhookFailed = (fields: {
    readonly endpoint: string;
    readonly eventId: string;
    readonly type: string;
    readonly id: string;
    readonly attempt: number;
    readonly givenUp: boolean;
    readonly reason: string;
  }): void => {
    const { endpoint, type, id, attempt, givenUp, reason } = fields;
    const next = givenUp
      ? `given up; to try again: mailover webhooks replay --endpoint ${endpoint}`
      : "tried again later";
    this.#logger[givenUp ? "error" : "warn"](
      { ...fields, event: "webhook.failed" },
      `webhook ${endpoint}, ${type} of ${id}, try ${attempt}: ${reason} (${next})`,
    );
  };

  /** Events that Redis did not take: no endpoint will be told of them. */
  readonly webhooksLost = (fields: { readonly lostCount: number; readonly reason: string }): void => {
    const reason = this.#show(fields.reason);
    this.#logger.error(
      { event: "webhooks.lost", lostCount: fields.lostCount, reason },
      `${fields.lostCount} webhook deliveries lost: ${reason}`,
    );
  };

  messageReceived({ id, messageId, jobId }: Of<"message.received">): void {
    this.#logger.info(
      { event: "message.received", id, messageId: this.#show(messageId), jobId: this.#show(jobId) },
      `received ${id}`,
    );
  }

  messageRefused({ jobId, reason }: Of<"message.refused">): void {
    // A job's id is the app's own: many put an address into it.
    const shown = { jobId: this.#show(jobId), reason: this.#show(reason) };
    this.#logger.warn({ event: "message.refused", ...shown }, `job ${shown.jobId} ${shown.reason}`);
  }

  attemptStarted({ id, attempt, provider }: Of<"attempt.started">): void {
    this.#logger.debug({ event: "attempt.started", id, attempt, provider }, `attempt ${attempt} at ${provider}`);
  }

  attemptEnded(event: Of<"attempt.ended">): void {
    const { type, reply, remedy, ...fields } = event;
    const shown = { event: type, ...fields, reply: this.#show(reply), ...(remedy === null ? {} : { remedy }) };
    if (event.outcome === "relayed") return this.#logger.debug(shown, `${event.provider} took it: ${shown.reply}`);
    const unlisted = event.rule === null && event.cause === "busy" ? " (no rule knows this reply)" : "";
    this.#logger.warn(
      shown,
      `${event.provider} ${event.outcome}, ${event.cause ?? ""} at ${event.stage}: ${shown.reply}${unlisted}`,
    );
  }

  messageRelayed({ id, record }: Moved): void {
    const { provider, remoteId, attemptCount, possibleDuplicate } = record;
    const refused = record.reason === null ? "" : `, ${this.#show(record.reason)}`;
    this.#logger.info(
      { event: "message.relayed", id, provider, remoteId: this.#show(remoteId ?? ""), attemptCount, possibleDuplicate },
      `relayed ${id} by ${provider ?? ""}${refused}`,
    );
  }

  messageWaits({ type, id, record }: Moved): void {
    const { nextAttemptAt, attemptCount } = record;
    const reason = this.#show(record.reason ?? "");
    this.#logger.info({ event: type, id, nextAttemptAt, attemptCount, reason }, `${record.status} ${id}: ${reason}`);
  }

  messageFailed({ type, id, record }: Moved): void {
    const reason = this.#show(record.reason ?? "");
    this.#logger.warn(
      { event: type, id, attemptCount: record.attemptCount, reason },
      `${record.status} ${id}: ${reason}`,
    );
  }

  breakerChanged({ provider, from, to, reason, remedy, untilAt }: Of<"breaker.changed">): void {
    const shown = this.#show(reason);
    const until = untilAt === null ? {} : { until: new Date(untilAt).toISOString() };
    const level = to === "open" ? "error" : "info";
    this.#logger[level](
      { event: "breaker.changed", provider, from, to, reason: shown, ...until, ...(remedy === null ? {} : { remedy }) },
      `breaker of ${provider} ${to}: ${shown}${remedy === null ? "" : `. To mend it: ${remedy}`}`,
    );
  }

  probeEnded({ provider, ok, stage, reason }: Of<"probe.ended">): void {
    const shown = this.#show(reason);
    this.#logger.info(
      { event: "probe.ended", provider, ok, stage, reason: shown },
      `probe of ${provider} ${ok ? "went well" : "failed"}: ${shown}`,
    );
  }

  gatePaused({ provider, cause, untilAt, reason }: Of<"gate.paused">): void {
    const until = new Date(untilAt).toISOString();
    this.#logger.warn(
      { event: "gate.paused", provider, cause, until, reason: this.#show(reason) },
      `${provider} ${cause} until ${until}`,
    );
  }

  fleetChanged({ provider, from, to, reason, remedy, untilAt }: Of<"fleet.changed">): void {
    const shown = this.#show(reason);
    const until = untilAt === null ? null : new Date(untilAt).toISOString();
    this.#logger[to === "open" ? "error" : "info"](
      { event: "fleet.changed", provider, from, to, reason: shown, ...(remedy === null ? {} : { remedy }), until },
      `fleet: ${provider} ${from} -> ${to}: ${shown}${remedy === null ? "" : `. ${remedy}`}`,
    );
  }

  rampStepped({ provider, percent }: Of<"ramp.stepped">): void {
    this.#logger.info({ event: "ramp.stepped", provider, percent }, `${provider} gets ${percent} % of its mail`);
  }

  gateSlowed({ provider, percent, reason }: Of<"gate.slowed">): void {
    this.#logger[percent < 100 ? "warn" : "info"](
      { event: "gate.slowed", provider, percent, reason },
      `${provider} gets ${percent} % of its mail: ${reason}`,
    );
  }

  limitChanged({ provider, perMinute, reason }: Of<"limit.changed">): void {
    const shown = this.#show(reason);
    this.#logger.warn(
      { event: "limit.changed", provider, perMinute, reason: shown },
      `${provider} takes ${perMinute} messages a minute now: ${shown}`,
    );
  }

  quotaWarned({ provider, window, used, limit, emptyAt }: Of<"quota.warned">): void {
    const empty = new Date(emptyAt).toISOString();
    this.#logger.warn(
      { event: "quota.warned", provider, window, used, limit, emptyAt: empty },
      `${provider}: ${used} of ${limit} of the ${window} are used, at this rate all by ${empty}`,
    );
  }

  controlChanged({ version, by, sentence }: Of<"control.changed">): void {
    // A reason of an operator's may name anybody.
    const shown = this.#show(sentence);
    this.#logger.info(
      { event: "control.changed", version, by, sentence: shown },
      `change ${version} by ${by}: ${shown}`,
    );
  }

  cutoverStepped({ to, percent, state, reason }: Of<"cutover.stepped">): void {
    this.#logger[state === "rolled back" ? "error" : "info"](
      { event: "cutover.stepped", to, percent, state, reason },
      `cutover to ${to} ${state}, ${percent} %: ${reason}`,
    );
  }

  /** One with a remedy is for somebody to act on. */
  providerNoticed({ provider, notice, fields }: Of<"provider.noticed">): void {
    const { reason, remedy } = fields;
    const shown = typeof reason === "string" ? { ...fields, reason: this.#show(reason) } : fields;
    const what = shown.reason === undefined ? notice : `${notice}: ${shown.reason}`;
    this.#logger[remedy === undefined ? "info" : "warn"](
      { event: "provider.noticed", provider, notice, ...shown },
      `${provider}: ${what}${remedy === undefined ? "" : `. To mend it: ${remedy}`}`,
    );
  }
}
