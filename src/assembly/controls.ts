import type { Config } from "../config/index.ts";
import type { CutoverSample } from "../control/cutover-meter.ts";
import { CutoverConductor } from "../control/cutover-conductor.ts";
import { CutoverMeter } from "../control/cutover-meter.ts";
import type { Overlay } from "../control/overlay.ts";
import { RedisControls } from "../control/redis-controls.ts";
import type { Clock, Emit } from "../core/index.ts";
import type { Log } from "../telemetry/log.ts";
import { closeWithin } from "./closing.ts";
import type { Closing } from "./closing.ts";
import type { Store } from "./store.ts";

/** What operators changed at run time, and who tells of the mail that they moved. */
export type OpenControls = {
  readonly overlay: () => Overlay;
  readonly record: (sample: CutoverSample) => void;
};

const LEAVING_MS = 500;

export type ControlParts = {
  readonly config: Config;
  readonly store: Store;
  /** This worker. */
  readonly name: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly emit: Emit;
};

/** Follows what operators change, and takes part in moving cutovers on. */
export async function openControls(
  { config, store, name, log, clock, emit }: ControlParts,
  closing: Closing,
): Promise<OpenControls> {
  const { pools } = config;
  const onError = (error: Error): void => log.troubled("control", error);
  const { commands: redis, subscriber } = store;
  const controls = new RedisControls({ redis, subscriber, pools, clock, emit, onError });
  const state = () => controls.state;
  const meter = new CutoverMeter(redis, state, pools);
  const conductor = new CutoverConductor({ redis, state, name, emit, onError });
  closing.push(() => {
    conductor.stop();
    return closeWithin(LEAVING_MS, [() => meter.stop(), () => controls.stop()]);
  });
  await controls.start();
  meter.start();
  conductor.start();
  return { overlay: () => controls.overlay, record: (sample) => meter.record(sample) };
}
