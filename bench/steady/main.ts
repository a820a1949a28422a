import { formatMs, percentile, table } from "../statistics.ts";
import { Child } from "./child.ts";
import { pushAll, pushSteadily, pushTimed } from "./load.ts";
import { CONNECTIONS, untilAccepted, withStage } from "./stage.ts";

/**
 * How the gateway fares when nothing is broken: a steady load, a long run, and how fast it is at most, beside a bare
 * nodemailer pool. `--seconds N` of the steady load, `--messages N` of the long run, `--only steady|timing|memory|throughput`.
 * Exit code 1 when a limit is missed.
 */
const PER_SECOND = 200;
const LOOP_DELAY_P99_MS = 50;

const SAMPLES = 5;
/** Noise of the heap after a forced collection, from one sample to another. */
const HEAP_NOISE_BYTES = 3 * 1024 * 1024;
/** Of what the allocator keeps for itself. */
const RSS_NOISE_BYTES = 30 * 1024 * 1024;

const TIMED_COUNT = 200;
const TIMED_LOAD_PER_SECOND = 100;
const TIMED_IN_MS = 10_000;
const LATE_AT_MOST_MS = 1_000;

const THROUGHPUT_COUNT = 5_000;
const RUNS = 3;

const only = argument("--only");
const seconds = Number(argument("--seconds") ?? 60);
const messages = Number(argument("--messages") ?? 50_000);

const rows: string[][] = [["what", "measured", "limit", ""]];

function report(what: string, measured: string, limit: string, met: boolean): void {
  rows.push([what, measured, limit, met ? "ok" : "MISSED"]);
  if (!met) process.exitCode = 1;
}

function note(what: string, measured: string): void {
  rows.push([what, measured, "", ""]);
}

async function steady(): Promise<void> {
  await withStage(async ({ relay, queue, startGateway, storeDescription }) => {
    process.stdout.write(`${storeDescription.split(";")[0] ?? ""}\n`);
    const gateway = await startGateway();
    // Connections and compiled code first: a steady load has no beginning.
    await pushSteadily(queue, PER_SECOND, 3);
    await untilAccepted(relay, PER_SECOND * 3);
    await relay.ask("forget");
    await gateway.ask("forget");
    const pushedAt = await pushSteadily(queue, PER_SECOND, seconds);
    await untilAccepted(relay, pushedAt.size);
    const delay = await gateway.ask("loopDelay");
    const accepted = await relay.ask("accepted");
    await gateway.stop();
    const timesMs = accepted.map(({ subject, at }) => at - (pushedAt.get(subject) ?? Number.NaN));
    const name = `${PER_SECOND}/s for ${seconds} s`;
    report(
      `${name}: event loop delay, p99`,
      `${delay.p99Ms.toFixed(1)} ms`,
      `${LOOP_DELAY_P99_MS} ms`,
      delay.p99Ms < LOOP_DELAY_P99_MS,
    );
    note(
      `${name}: event loop delay, p50 and longest`,
      `${delay.p50Ms.toFixed(1)} ms, ${delay.longestMs.toFixed(1)} ms`,
    );
    note(
      `${name}: pushed to accepted, p50 and p99`,
      `${formatMs(percentile(timesMs, 50))}, ${formatMs(percentile(timesMs, 99))}`,
    );
    report(`${name}: accepted`, `${accepted.length}`, `${pushedAt.size}`, accepted.length === pushedAt.size);
  });
}

/** Messages that are due at one instant, pushed while others keep the gateway busy. */
async function timing(): Promise<void> {
  await withStage(async ({ relay, queue, startGateway }) => {
    const gateway = await startGateway();
    await pushSteadily(queue, TIMED_LOAD_PER_SECOND, 3);
    const sendAt = Date.now() + TIMED_IN_MS;
    const [, timed] = await Promise.all([
      pushSteadily(queue, TIMED_LOAD_PER_SECOND, (TIMED_IN_MS + 5_000) / 1000),
      pushTimed(queue, TIMED_COUNT, sendAt),
    ]);
    await untilAccepted(relay, TIMED_LOAD_PER_SECOND * (3 + (TIMED_IN_MS + 5_000) / 1000) + TIMED_COUNT);
    const accepted = await relay.ask("accepted");
    await gateway.stop();
    const lateMs = accepted.filter(({ subject }) => timed.has(subject)).map(({ at }) => at - sendAt);
    const name = `${TIMED_COUNT} with one sendAt, at ${TIMED_LOAD_PER_SECOND}/s`;
    const [first, last] = [Math.min(...lateMs), Math.max(...lateMs)];
    const isExact = lateMs.length === TIMED_COUNT && first >= 0 && last < LATE_AT_MOST_MS;
    report(`${name}: first and last after it`, `${first} ms, ${last} ms`, `0 to ${LATE_AT_MOST_MS} ms`, isExact);
  });
}

async function memory(): Promise<void> {
  await withStage(async ({ relay, queue, startGateway }) => {
    const gateway = await startGateway();
    const step = Math.ceil(messages / SAMPLES);
    const samples: { heapBytes: number; rssBytes: number }[] = [];
    for (let sample = 1; sample <= SAMPLES; sample += 1) {
      await pushAll(queue, step);
      await untilAccepted(relay, sample * step);
      samples.push(await gateway.ask("memory"));
      process.stdout.write(
        `  ${sample * step} messages: ${megabytes(samples.at(-1)?.heapBytes)} heap, ${megabytes(samples.at(-1)?.rssBytes)} RSS\n`,
      );
    }
    await gateway.stop();
    // The first two fifths are for warming up: code is compiled, buffers, pools and the allocator reach their size.
    const most = (pick: "heapBytes" | "rssBytes", of: typeof samples): number =>
      Math.max(...of.map((sample) => sample[pick]));
    const growth = (pick: "heapBytes" | "rssBytes"): number =>
      most(pick, samples.slice(2)) - most(pick, samples.slice(0, 2));
    const name = `${messages} messages`;
    report(
      `${name}: heap, most after two fifths over most before`,
      signed(growth("heapBytes")),
      megabytes(HEAP_NOISE_BYTES),
      growth("heapBytes") <= HEAP_NOISE_BYTES,
    );
    report(
      `${name}: RSS, most after two fifths over most before`,
      signed(growth("rssBytes")),
      megabytes(RSS_NOISE_BYTES),
      growth("rssBytes") <= RSS_NOISE_BYTES,
    );
  });
}

async function throughput(): Promise<void> {
  const own: number[] = [];
  const bare: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    await withStage(async ({ relay, queue, startGateway }) => {
      await pushAll(queue, THROUGHPUT_COUNT);
      const gateway = await startGateway();
      await untilAccepted(relay, THROUGHPUT_COUNT);
      own.push(perSecond(await relay.ask("accepted")));
      await gateway.stop();
      await relay.ask("forget");
      const settings = { port: relay.ready["port"], count: THROUGHPUT_COUNT, connections: CONNECTIONS };
      const sender = await Child.start("bare", settings);
      await sender.ask("send");
      bare.push(perSecond(await relay.ask("accepted")));
      await sender.stop();
    });
    process.stdout.write(
      `  run ${run + 1}: ${Math.round(own.at(-1) ?? 0)}/s, bare ${Math.round(bare.at(-1) ?? 0)}/s\n`,
    );
  }
  const [median, baseline] = [percentile(own, 50), percentile(bare, 50)];
  note(`${THROUGHPUT_COUNT} queued messages, median of ${RUNS}: Mailover`, `${Math.round(median)}/s`);
  note(
    `the same, bare nodemailer pool`,
    `${Math.round(baseline)}/s (Mailover ${(median / baseline).toFixed(2)} times that)`,
  );
}

/** From the first to the last message, as the relay saw them. */
function perSecond(accepted: readonly { readonly at: number }[]): number {
  const times = accepted.map(({ at }) => at);
  return ((times.length - 1) * 1000) / ((times.at(-1) ?? 0) - (times[0] ?? 0));
}

function megabytes(bytes = 0): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function signed(bytes: number): string {
  return `${bytes < 0 ? "" : "+"}${megabytes(bytes)}`;
}

function argument(name: string): string | null {
  const index = process.argv.indexOf(name);
  return index < 0 ? null : (process.argv[index + 1] ?? null);
}

for (const [name, part] of Object.entries({ steady, timing, memory, throughput })) {
  if (only !== null && name !== only) continue;
  process.stdout.write(`… ${name}\n`);
  await part();
}
process.stdout.write(`\n${table(rows)}\n`);
