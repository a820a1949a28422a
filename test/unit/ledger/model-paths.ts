/** Which way a path through the model goes at each of its forks. Option 0 is the one where nothing goes wrong. */
export class Choices {
  readonly taken: number[] = [];
  readonly widths: number[] = [];
  readonly #prefix: readonly number[];

  constructor(prefix: readonly number[]) {
    this.#prefix = prefix;
  }

  /** Whether the path has left those that were gone before it. */
  get isNew(): boolean {
    return this.taken.length >= this.#prefix.length;
  }

  choose<T>(options: readonly [T, ...T[]]): T {
    const option = this.#prefix[this.taken.length] ?? 0;
    this.taken.push(option);
    this.widths.push(options.length);
    return options[option] ?? options[0];
  }
}

/**
 * Walks every path there is, so many at once: each walk follows its prefix and then option 0, and each fork behind the
 * prefix gives new prefixes. A walk must come to the same forks whenever it makes the same choices. Returns how many
 * paths there were.
 */
export async function explore(walk: (choices: Choices) => Promise<void>, atOnce: number): Promise<number> {
  const prefixes: (readonly number[])[] = [[]];
  const running = new Set<Promise<void>>();
  let count = 0;
  const follow = async (prefix: readonly number[]): Promise<void> => {
    const choices = new Choices(prefix);
    await walk(choices);
    count += 1;
    prefixes.push(...othersThan(choices, prefix.length));
  };
  while (prefixes.length > 0 || running.size > 0) {
    while (running.size < atOnce && prefixes.length > 0) {
      const walking = follow(prefixes.pop() ?? []).finally(() => running.delete(walking));
      running.add(walking);
    }
    await Promise.race(running);
  }
  return count;
}

/** The ways not gone at the forks from this one on. */
function* othersThan({ taken, widths }: Choices, from: number): Generator<readonly number[]> {
  for (let fork = from; fork < taken.length; fork += 1) {
    for (let option = 1; option < (widths[fork] ?? 1); option += 1) yield [...taken.slice(0, fork), option];
  }
}
