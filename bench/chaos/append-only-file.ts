import { readdir, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "../../src/core/index.ts";

const SAMPLE_EVERY_MS = 50;
const SAMPLES_KEPT = 200;

/** Where Redis 7 keeps the parts of its append-only file. Only the increments grow. */
const FOLDER = "appendonlydir";
const INCREMENT = /\.incr\.aof$/;

/** Up to so many bytes more reach the disk than is certain, so that the last command is torn. */
const TORN_BYTES = 200;

type Sample = { readonly at: number; readonly sizes: ReadonlyMap<string, number> };

/** Follows how long the append-only file of a Redis 7 is, so that it can be cut back to what it was. */
export class AppendOnlyFile {
  readonly #folder: string;
  #samples: Sample[] = [];
  readonly #timer: NodeJS.Timeout;

  /** `folder`: the `dir` of the Redis. */
  constructor(folder: string) {
    this.#folder = join(folder, FOLDER);
    this.#timer = setInterval(() => void this.#sample().catch(() => undefined), SAMPLE_EVERY_MS);
  }

  /** Cuts off what was written after an instant, as if it had never reached the disk. Redis must not run. */
  async cutBack(toAt: number, random: Random): Promise<void> {
    const before = this.#samples.findLast(({ at }) => at <= toAt);
    if (before === undefined) throw new Error(`nothing is known of the append-only file ${Date.now() - toAt} ms ago`);
    for (const [file, sizeBytes] of await this.#sizes()) {
      const certainBytes = before.sizes.get(file) ?? 0;
      const tornBytes = Math.floor(random() * TORN_BYTES);
      await truncate(file, Math.min(sizeBytes, certainBytes + tornBytes));
    }
    this.#samples = [];
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #sample(): Promise<void> {
    const sizes = await this.#sizes();
    // As of now at the latest: it may have grown since it was looked at, but never shrinks.
    this.#samples = [...this.#samples, { at: Date.now(), sizes }].slice(-SAMPLES_KEPT);
  }

  async #sizes(): Promise<ReadonlyMap<string, number>> {
    const files = (await readdir(this.#folder)).filter((name) => INCREMENT.test(name));
    const sizes = files.map(async (name): Promise<[string, number]> => {
      const file = join(this.#folder, name);
      return [file, (await stat(file)).size];
    });
    return new Map(await Promise.all(sizes));
  }
}
