import type { RedisClient } from "../redis/connection.ts";
import { LOG_PATTERN, idIn, keysOf } from "../ledger/keys.ts";
import { unpack } from "../ledger/packing.ts";

/** Mailover's own ids, as `messageId` makes them. */
const OWN_ID = /^[0-9a-v]{26}$/;

/** Logs looked at in one go. */
const SCAN_COUNT = 1_000;

/** Finds messages in the ledger by what people know of them. */
export class MessageIndex {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** The job that has a message; null where the ledger does not know it, or no longer. */
  jobOf(id: string): Promise<string | null> {
    const [state] = keysOf(id);
    return this.#redis.hget(state, "job");
  }

  /**
   * Ids of the messages with a Message-ID. One that Mailover made says its id; for one of an app's own every log is looked
   * at, which takes a second for some ten thousand.
   */
  async byMessageId(messageId: string): Promise<readonly string[]> {
    const wanted = `<${messageId.replace(/^<|>$/g, "")}>`;
    const [left = ""] = wanted.slice(1).split("@");
    if (OWN_ID.test(left) && (await this.jobOf(left)) !== null) return [left];
    const found: string[] = [];
    const nodes = "nodes" in this.#redis ? this.#redis.nodes("master") : [this.#redis];
    for (const node of nodes) {
      const scan = node.scanStream({ match: LOG_PATTERN, count: SCAN_COUNT });
      for await (const keys of scan as AsyncIterable<string[]>) {
        const firsts = await Promise.all(keys.map((key) => this.#redis.lindex(key, 0)));
        found.push(...keys.filter((_, index) => isReceived(firsts[index] ?? null, wanted)).map(idIn));
      }
    }
    // A scan may come upon a key twice.
    return [...new Set(found)];
  }
}

function isReceived(entry: string | null, messageId: string): boolean {
  const event = entry === null ? null : unpack(entry);
  return event?.type === "message.received" && event.messageId === messageId;
}
