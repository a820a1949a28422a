import { providerDefinitions } from "../../providers/index.ts";
import { startGateway } from "../app.ts";
import { environmentName, loadOrExit, logOf } from "./settings.ts";

/** `mailover start`: runs the gateway until SIGTERM or SIGINT, then stops it within `delivery.shutdownMs`. */
export async function start(): Promise<void> {
  const loaded = loadOrExit();
  const log = logOf(loaded);
  const { config } = loaded;
  const gateway = await startGateway({ config, definitions: providerDefinitions, log, environment: environmentName() });
  const signal = await nextSignal();
  log.gatewayStopping(signal);
  // A second signal, or the end of the time allowed, ends it as it is: what was under way is taken up by another worker.
  const force = (): never => process.exit(1);
  process.once("SIGTERM", force);
  process.once("SIGINT", force);
  setTimeout(force, config.delivery.shutdownMs).unref();
  await gateway.stop();
  process.exit(0);
}

async function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  });
}
