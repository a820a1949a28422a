import { hostname } from "node:os";
import type { Config } from "../config/index.ts";
import type { WorkParts } from "../delivery/work.ts";
import { composeReport } from "../message/index.ts";
import { MailQueue } from "../queue/mail-queue.ts";
import type { RedisClient } from "../redis/connection.ts";
import { seal } from "../submission/index.ts";
import type { Keyring } from "../submission/index.ts";

/** Pushes delivery reports into the queue, as messages of their own; null where the configuration names no sender. */
export function reporter(config: Config, redis: RedisClient, keyring: Keyring): WorkParts["report"] {
  const { from, host } = config.reports;
  if (from === null) return null;
  const queue = new MailQueue(config.queue, redis);
  return async (original, record) => {
    const report = composeReport({
      original,
      record,
      reportingMta: host ?? hostname(),
      from: { name: "Mail delivery", address: from },
      now: new Date(),
    });
    if (report === null) return;
    const data = seal(report, keyring, { addresses: config.encryption.addresses });
    // The same id for the same end: where a worker died after this, the next one makes no second report.
    await queue.push(data, { jobId: `report-${record.id}-${record.attemptCount}` });
  };
}
