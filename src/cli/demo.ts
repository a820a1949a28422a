import { setTimeout as sleep } from "node:timers/promises";
import type { GatewayEvent } from "../core/index.ts";
import { LAB_ACCOUNT } from "../lab/index.ts";
import { PHASES } from "./demo/phases.ts";
import { picture, summaryLines } from "./demo/picture.ts";
import { Screen } from "./demo/screen.ts";
import { openStage } from "./demo/stage.ts";
import type { Stage } from "./demo/stage.ts";
import { Tally } from "./demo/tally.ts";

const PUSHES_PER_SECOND = 10;
const REDRAW_MS = 200;

/** After the last phase: how long the last messages are waited for. */
const SETTLE_MS = 15_000;

/** `mailover demo`: breaks Microsoft 365 in five ways under a steady load. Exit code 1 when a mail was lost or doubled. */
export async function demo(options: { readonly plain?: true }): Promise<void> {
  const screen = new Screen(process.stdout, options.plain === true);
  screen.line("Starting a store, stand-ins for Microsoft 365, SendGrid and a relay, and the gateway …");
  const stage = await openStage();
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  try {
    screen.line(stage.storeDescription);
    screen.line(
      `${PUSHES_PER_SECOND} mails a second, until the end. Waits are shortened; all else is as in production.\n`,
    );
    const tally = await play(stage, screen, stop.signal);
    const summary = tally.summary();
    screen.end();
    screen.line(`\nCounted from what the stand-ins accepted:\n${summaryLines(summary).join("\n")}`);
    if (stop.signal.aborted) screen.line("(stopped before the end)");
    process.exitCode = stop.signal.aborted ? 130 : summary.lost + summary.duplicates > 0 ? 1 : 0;
  } finally {
    await stage.close();
  }
}

async function play(stage: Stage, screen: Screen, signal: AbortSignal): Promise<Tally> {
  const { lab, gateway, queue } = stage;
  const tally = new Tally();
  for (const server of [lab.exchange, lab.sendgrid, lab.relay]) server.onAccepted((message) => tally.accepted(message));
  let toldRemedy: string | null = null;
  gateway.events.subscribe((event) => {
    if (event.type === "message.received") tally.received(event.jobId, event.id);
    const text = tell(event);
    if (text !== null) screen.line(`${clock()}   ${text}`);
    if (event.type !== "breaker.changed" || event.to !== "open" || event.remedy === toldRemedy) return;
    toldRemedy = event.remedy;
    if (event.remedy !== null) screen.line(`${" ".repeat(11)}to mend it: ${event.remedy}`);
  });

  const startedAt = Date.now();
  const totalMs = PHASES.reduce((sum, { durationMs }) => sum + durationMs, 0);
  let phase = PHASES[0];
  const draw = (): void => {
    const servers = [lab.exchange.name, lab.sendgrid.name, lab.relay.name];
    const providers = gateway.gates.map((gate, index) => ({
      name: gate.provider.name,
      server: servers[index] ?? "",
      state: gate.breakerState,
      paused: gate.isPaused,
    }));
    const progress = (Date.now() - startedAt) / totalMs;
    screen.draw(
      picture({
        title: phase?.title ?? "",
        broken: phase?.begin !== null,
        progress,
        providers,
        summary: tally.summary(),
      }),
    );
  };
  const redraw = setInterval(draw, REDRAW_MS);
  const pushing = pushSteadily(queue, tally, startedAt + totalMs, signal);
  for (phase of PHASES) {
    if (signal.aborted) break;
    screen.line(`${clock()} ${phase.begin === null ? "✓" : "✗"} ${phase.title}`);
    await (phase.begin === null ? lab.exchange.setFault(null) : phase.begin(lab));
    await sleep(phase.durationMs, undefined, { signal }).catch(() => undefined);
  }
  await lab.exchange.setFault(null);
  await pushing;
  const deadline = Date.now() + SETTLE_MS;
  while (tally.summary().lost > 0 && Date.now() < deadline && !signal.aborted) await sleep(50);
  clearInterval(redraw);
  return tally;
}

async function pushSteadily(queue: Stage["queue"], tally: Tally, endsAt: number, signal: AbortSignal): Promise<void> {
  const startedAt = Date.now();
  for (let count = 0; Date.now() < endsAt && !signal.aborted; count += 1) {
    const at = Date.now();
    const messageClass = count % 10 === 0 ? "otp" : "transactional";
    const jobId = await queue.push({
      from: `Contoso <${LAB_ACCOUNT.mailbox}>`,
      to: `customer-${count}@example.org`,
      subject: `Order ${count}`,
      text: `Thank you for your order number ${count}.`,
      class: messageClass,
    });
    tally.pushed(jobId, at);
    await sleep(Math.max(0, startedAt + ((count + 1) * 1000) / PUSHES_PER_SECOND - Date.now()));
  }
}

function clock(): string {
  return new Date().toISOString().slice(11, 19);
}

/** The events worth a line. */
function tell(event: GatewayEvent): string | null {
  switch (event.type) {
    case "breaker.changed":
      // A probe is under way: how it ends is told.
      if (event.to === "half-open") return null;
      return `breaker of ${event.provider}: ${event.to} (${event.reason})`;
    case "ramp.stepped":
      return `${event.provider} gets ${event.percent} % of its mail`;
    case "gate.slowed":
      return `${event.provider} gets ${event.percent} % of its mail: ${event.reason}`;
    case "gate.paused":
      return `${event.provider} paused: ${event.cause} (${event.reason})`;
    default:
      return null;
  }
}
