import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What a process of the bench is asked, and what it answers, by name. All of it is JSON. */
export type Questions = {
  readonly relay: {
    /** Messages accepted since the last `forget`. */
    readonly count: number;
    readonly accepted: readonly { readonly subject: string; readonly at: number }[];
    readonly forget: null;
  };
  readonly gateway: {
    /** Of the event loop, since the last `forget`. */
    readonly loopDelay: { readonly p50Ms: number; readonly p99Ms: number; readonly longestMs: number };
    /** After a forced collection. */
    readonly memory: { readonly heapBytes: number; readonly rssBytes: number };
    readonly forget: null;
  };
  readonly bare: {
    /** Sends its messages and answers when all are accepted. */
    readonly send: null;
  };
};

export type Kind = keyof Questions;

/** A process of the bench: `<kind>-process.js` beside this file. It is asked one thing at a time. */
export class Child<K extends Kind> {
  /** What it said when it was ready. */
  readonly ready: Readonly<Record<string, number>>;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, ready: Readonly<Record<string, number>>) {
    this.#process = process;
    this.ready = ready;
  }

  static async start<K extends Kind>(kind: K, settings: object): Promise<Child<K>> {
    const file = fileURLToPath(new URL(`${kind}-process.js`, import.meta.url));
    const child = fork(file, [JSON.stringify(settings)], {
      execArgv: ["--expose-gc"],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    return new Child(child, (await answerOf(child)) as Readonly<Record<string, number>>);
  }

  async ask<Q extends keyof Questions[K] & string>(question: Q): Promise<Questions[K][Q]> {
    this.#process.send({ question });
    return (await answerOf(this.#process)) as Questions[K][Q];
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.disconnect();
    await ended;
  }
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const controller = new AbortController();
  const { signal } = controller;
  const ended = once(child, "exit", { signal }).then(() => {
    throw new Error("a process of the bench ended by itself");
  });
  const answered = once(child, "message", { signal }).then(([message]) => (message as { answer: unknown }).answer);
  try {
    return await Promise.race([answered, ended]);
  } finally {
    controller.abort();
    await Promise.allSettled([answered, ended]);
  }
}

/** The other side: says that it is ready and answers until the bench goes away, then closes what it has. */
export function serve<K extends Kind>(
  ready: Readonly<Record<string, number>>,
  answers: { readonly [Q in keyof Questions[K]]: () => Questions[K][Q] | Promise<Questions[K][Q]> },
  close: () => Promise<void>,
): void {
  process.on("message", (message) => {
    const { question } = message as { question: keyof Questions[K] };
    void Promise.resolve(answers[question]()).then((answer) => process.send?.({ answer }));
  });
  process.once("disconnect", () => void close().then(() => process.exit(0)));
  process.send?.({ answer: ready });
}
