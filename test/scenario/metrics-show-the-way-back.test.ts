import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Scene, mail, relaySettings } from "./gateway.ts";

let scene: Scene;
let primary: RelayServer;
let fallback: RelayServer;
let url: string;

beforeAll(async () => {
  scene = await Scene.open();
  primary = await startRelay({ name: "primary" });
  fallback = await startRelay({ name: "fallback" });
  await scene.start({
    metrics: { port: 0 },
    breaker: { openMs: 500, rampStepMs: 300 },
    providers: {
      primary: relaySettings(primary, { priority: 10 }),
      fallback: relaySettings(fallback, { priority: 20 }),
    },
  });
  const started = scene.logged.find((line) => line.includes("gateway.started")) ?? "{}";
  url = (JSON.parse(started) as { metrics: string }).metrics;
});

afterAll(async () => {
  await scene.close();
  await primary.close();
  await fallback.close();
});

async function valueOf(series: string): Promise<number> {
  const page = await (await fetch(url)).text();
  const line = page.split("\n").find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1));
}

test("an outage and the way back, step by step, stand in the metrics", async () => {
  const percent = 'mailover_provider_percent{provider="primary"}';
  expect(await valueOf(percent)).toBe(100);
  primary.setFault({ kind: "refuse" });
  await Promise.all(Array.from({ length: 5 }, async () => scene.relayed(await scene.push(mail()))));
  expect(await valueOf(percent)).toBe(0);
  expect(await valueOf('mailover_messages_total{status="relayed"}')).toBe(5);
  expect(await valueOf('mailover_attempts_total{provider="fallback",outcome="relayed",cause=""}')).toBe(5);

  primary.setFault(null);
  const seen = new Set<number>();
  for (const endAt = Date.now() + 15_000; !seen.has(100) && Date.now() < endAt;) {
    seen.add(await valueOf(percent));
    await sleep(30);
  }
  expect([...seen]).toEqual([0, 5, 25, 50, 100]);
});
