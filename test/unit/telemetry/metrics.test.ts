import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { GatewayEvent } from "../../../src/core/index.ts";
import { renderMetrics } from "../../../src/operations/metrics-reference.ts";
import { serveMetrics } from "../../../src/telemetry/metrics-server.ts";
import type { MetricsServer } from "../../../src/telemetry/metrics-server.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import type { ObservedProvider } from "../../../src/telemetry/metrics.ts";
import { read } from "../docs/pages.ts";

const ENDED = {
  type: "attempt.ended",
  id: "1",
  attempt: 1,
  provider: "relay",
  outcome: "deferred",
  stage: "rcpt",
  cause: "busy",
  status: "4.2.0",
  reply: "450 4.2.0 <ann@example.org> secret",
  rule: null,
  remedy: null,
  durationMs: 300,
} as const;

let providers: ObservedProvider[];
let metrics: Metrics;

beforeEach(() => {
  providers = [{ name: "relay", percent: 100, breaker: "closed", isPaused: false }];
  metrics = new Metrics(() => providers);
});

/** The value of one series, as it stands on the page. */
async function valueOf(series: string): Promise<number | null> {
  const line = (await metrics.text()).split("\n").find((each) => each.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
}

describe("what is counted", () => {
  test("attempts by outcome and cause, with their time", async () => {
    metrics.event(ENDED);
    metrics.event({ ...ENDED, outcome: "relayed", cause: null });
    expect(await valueOf('mailover_attempts_total{provider="relay",outcome="deferred",cause="busy"}')).toBe(1);
    expect(await valueOf('mailover_attempts_total{provider="relay",outcome="relayed",cause=""}')).toBe(1);
    const duration = 'mailover_attempt_duration_seconds_bucket{le="0.5",provider="relay",outcome="deferred"}';
    expect(await valueOf(duration)).toBe(1);
  });

  test("replies that no rule knows", async () => {
    metrics.event(ENDED);
    metrics.event({ ...ENDED, rule: "greylisted" });
    expect(await valueOf('mailover_unknown_replies_total{provider="relay"}')).toBe(1);
  });

  test("messages by what became of them", async () => {
    metrics.event({ type: "message.refused", jobId: "7", reason: "to: is missing" });
    metrics.event({ type: "message.relayed", id: "1" } as GatewayEvent);
    metrics.event({ type: "message.relayed", id: "2" } as GatewayEvent);
    expect(await valueOf('mailover_messages_total{status="refused"}')).toBe(1);
    expect(await valueOf('mailover_messages_total{status="relayed"}')).toBe(2);
  });

  test("each provider's share and breaker, as they are when somebody looks", async () => {
    expect(await valueOf('mailover_provider_percent{provider="relay"}')).toBe(100);
    providers = [{ name: "relay", percent: 25, breaker: "open", isPaused: true }];
    expect(await valueOf('mailover_provider_percent{provider="relay"}')).toBe(25);
    expect(await valueOf('mailover_breaker_state{provider="relay",state="open"}')).toBe(1);
    expect(await valueOf('mailover_breaker_state{provider="relay",state="closed"}')).toBe(0);
    expect(await valueOf('mailover_provider_paused{provider="relay"}')).toBe(1);
  });

  test("no reply and no address is on the page", async () => {
    metrics.event(ENDED);
    expect(await metrics.text()).not.toMatch(/ann@|secret|4\.2\.0/);
  });
});

test("the page of the documentation has all of them", async () => {
  const written = read("docs/metrics.md");
  const state = written.includes((await renderMetrics()).trimEnd()) ? "up to date" : "npm run generate";
  expect(state).toBe("up to date");
  // What the page asks for exists.
  const names = new Set((await metrics.describe()).map(({ name }) => name));
  const asked = [...written.matchAll(/mailover_[a-z_]*[a-z]/g)].map(([name]) => name.replace(/_bucket$/, ""));
  expect(asked.filter((name) => !names.has(name))).toEqual([]);
});

describe("the page", () => {
  let server: MetricsServer;

  beforeEach(async () => {
    server = await serveMetrics(metrics, { host: "127.0.0.1", port: 0 });
  });

  afterEach(() => server.close());

  test("is served in the form that Prometheus reads", async () => {
    const response = await fetch(server.url);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toContain('mailover_provider_percent{provider="relay"} 100');
  });

  test("is the only one", async () => {
    const elsewhere = await fetch(new URL("/", server.url));
    expect([elsewhere.status, await elsewhere.text()]).toEqual([404, "GET /metrics\n"]);
    expect((await fetch(server.url, { method: "POST" })).status).toBe(404);
  });

  test("whose port is taken is refused in a sentence", async () => {
    const port = Number(new URL(server.url).port);
    await expect(serveMetrics(metrics, { host: "127.0.0.1", port })).rejects.toThrow(
      `metrics.port: ${port} on 127.0.0.1 cannot be had: somebody listens there already. Each gateway on a machine`,
    );
  });
});
