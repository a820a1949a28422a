import { formatTrace, traceMessage } from "../operations/trace.ts";
import { withMessages } from "./messages.ts";

/** `mailover trace`: the log of one message. Exit code 1 where the ledger has none. */
export async function trace(name: string): Promise<void> {
  await withMessages(async (parts) => {
    const traces = await traceMessage(name, parts);
    if (traces.length === 0) {
      process.stderr.write(`the ledger has no message ${name}: not taken by a worker yet, or no longer kept\n`);
      process.exitCode = 1;
    }
    for (const found of traces) process.stdout.write(`${formatTrace(found)}\n`);
  });
}
