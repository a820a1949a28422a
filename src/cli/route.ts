import { providerDefinitions } from "../../providers/index.ts";
import { ATTEMPT_MARGIN_MS, gateSettings } from "../assembly/gates.ts";
import { createProviders } from "../assembly/providers.ts";
import type { Config } from "../config/index.ts";
import type { FromMapping, Message, MessageClass, Submission } from "../core/index.ts";
import type { Upstream } from "../delivery/order.ts";
import { Gate } from "../gate/gate.ts";
import type { RefusalBoard, SenderRefusal } from "../gate/sender-memory.ts";
import { readRefusals } from "../gate/fleet/redis-refusals.ts";
import { readNextSlot } from "../gate/limits/read-slot.ts";
import type { NextSlot } from "../gate/limits/read-slot.ts";
import { compose, formatProblems, messageIdentity, parseSubmission } from "../message/index.ts";
import type { FleetView } from "../operations/fleet-view.ts";
import { formatRoute } from "../operations/format-route.ts";
import type { RouteReport } from "../operations/format-route.ts";
import { picturedFleet } from "../operations/pictured-fleet.ts";
import { reportJson } from "../operations/report-json.ts";
import { previewRoute } from "../operations/route-preview.ts";
import type { RedisClient } from "../redis/connection.ts";
import { overviewsOf, showOf, viewOf, withStore } from "./providers.ts";
import { loadOrExit } from "./settings.ts";

/** A message as it is asked about. */
export type RouteOptions = {
  readonly from: string;
  readonly to?: readonly string[];
  readonly class?: string;
  readonly tenant?: string;
  readonly tag?: readonly string[];
  readonly providers?: readonly string[];
  readonly size?: string;
  readonly raw?: true;
};

/** Stands for any recipient; in no domain that a rule can be about. */
const ANYONE = "anyone@recipient.invalid";

/** `mailover route`: which way a message would go now, and why. Nothing is sent, and no slot taken. */
export async function route(options: RouteOptions & { readonly json?: true }): Promise<void> {
  const { config } = loadOrExit();
  await withStore(config, async (redis) => {
    const report = await routeReport(config, redis, options);
    process.stdout.write(`${options.json === true ? reportJson(report) : formatRoute(report)}\n`);
  });
}

/** Throws a sentence for people where no such message can be, or Redis does not answer. */
export async function routeReport(config: Config, redis: RedisClient, options: RouteOptions): Promise<RouteReport> {
  const { submission, message } = await exampleOf(options, config);
  const view = await viewOf(config, redis);
  const overviews = overviewsOf(config, view);
  const slots = await slotsOf(config, redis, message.class);
  const upstreams = picturedUpstreams(config, view, await refusalsOf(config, redis));
  try {
    const preview = previewRoute(submission, message, {
      upstreams,
      routing: { rules: config.routes, pools: config.pools, overlay: () => view.overlay },
      classes: config.classes,
      overviews,
      slots,
      show: showOf(config),
      settingsOf: (name) => ({ limits: config.providers[name]?.limits, from: fromMappingOf(config, name) }),
      now: view.now,
    });
    return {
      ...preview,
      now: view.now,
      mail: {
        class: message.class,
        from: message.from.address,
        recipientCount: message.envelope.rcptTo.length,
        sizeBytes: message.mime.length,
      },
      providers: overviews,
      workerCount: view.workers.length,
      notes: notesOn(options, config),
    };
  } finally {
    for (const { gate } of upstreams) gate.close();
    await Promise.all(upstreams.map(({ gate }) => gate.provider.close()));
  }
}

/** The slots that the next message of a class would get, by provider. */
async function slotsOf(config: Config, redis: RedisClient, messageClass: MessageClass): Promise<Map<string, NextSlot>> {
  const attemptTimeoutMs = config.delivery.attemptTimeoutMs + ATTEMPT_MARGIN_MS;
  const slots = Object.entries(config.providers).map(async ([name, { limits: settings }]) => {
    if (settings === undefined) return [];
    const slot = await readNextSlot(redis, name, { settings, class: messageClass, attemptTimeoutMs }, Date.now());
    return slot === null ? [] : [[name, slot] as const];
  });
  return new Map((await Promise.all(slots)).flat());
}

/** The From addresses that each provider refused, as all workers know them. */
async function refusalsOf(config: Config, redis: RedisClient): Promise<Map<string, readonly SenderRefusal[]>> {
  const names = Object.keys(config.providers);
  const refusals = names.map(async (name) => [name, await readRefusals(redis, name, Date.now)] as const);
  return new Map(await Promise.all(refusals));
}

/** The providers behind gates that decide by what the fleet holds, and take no part in it. */
function picturedUpstreams(
  config: Config,
  view: FleetView,
  refusals: ReadonlyMap<string, readonly SenderRefusal[]>,
): Upstream[] {
  const board: RefusalBoard = {
    tell: () => undefined,
    listen: (provider, hear) => refusals.get(provider)?.forEach(hear),
  };
  const parts = {
    refusals: board,
    clock: () => view.now,
    random: Math.random,
    emit: () => undefined,
    fleet: picturedFleet(view.reports),
  };
  return createProviders(config, providerDefinitions, () => undefined).map(({ provider, priority, weight }) => {
    return { name: provider.name, priority, weight, gate: new Gate(provider, gateSettings(config), parts) };
  });
}

/** A message such as the options tell of, read and composed as one of an app's. */
async function exampleOf(
  options: RouteOptions,
  config: Config,
): Promise<{ readonly submission: Submission; readonly message: Message }> {
  const sizeBytes = sizeOf(options.size, config.message.maxSizeBytes);
  const parsed = parseSubmission(dataOf(options), config.message);
  if (!parsed.ok) throw new Error(formatProblems(parsed.problems));
  const { submission } = parsed;
  const origin = { queue: config.queue.name, jobId: "example", createdAt: new Date(), digest: "" };
  const composed = await compose(submission, messageIdentity(submission, origin), config.message);
  if (!composed.ok) throw new Error(formatProblems(composed.problems));
  const { message } = composed;
  const missing = Buffer.alloc(Math.max(0, sizeBytes - message.mime.length), "x");
  return { submission, message: { ...message, mime: Buffer.concat([message.mime, missing]) } };
}

function dataOf({ from, to = [ANYONE], raw, tag, ...options }: RouteOptions): object {
  const content = raw === true ? { raw: `From: ${from}\r\n\r\n`, envelope: { from, to } } : { from, to, text: "" };
  const { class: messageClass, tenant, providers } = options;
  return { ...content, class: messageClass, tenant, tags: tag, providers };
}

/** Bytes; 0 where none are given. */
function sizeOf(text: string | undefined, most: number): number {
  if (text === undefined) return 0;
  const sizeBytes = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(sizeBytes >= 1 && sizeBytes <= most)) {
    throw new Error(`--size: "${text}" is no number of bytes from 1 to ${most}, which message.maxSizeBytes allows`);
  }
  return sizeBytes;
}

function fromMappingOf(config: Config, name: string): FromMapping {
  const settings = config.providers[name] as { readonly from?: FromMapping } | undefined;
  return settings?.from ?? {};
}

function notesOn({ to, providers }: RouteOptions, { routes }: Config): string[] {
  if (to !== undefined || providers !== undefined) return [];
  const asks = routes.some(({ when }) => when.recipientDomain !== undefined);
  return asks ? ["some rules ask for the domains of the recipients, and none are given: name them with --to"] : [];
}
