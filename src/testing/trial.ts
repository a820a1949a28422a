import assert from "node:assert/strict";
import { contentMayBeOut, STAGES } from "../core/index.ts";
import type { Failure, Message, Outcome, SendOptions, Stage, Verification } from "../core/index.ts";
import { assertOutcome, assertVerification } from "./expectations.ts";
import { CONTENT_MARK } from "./samples.ts";
import { assertSecret } from "./secrecy.ts";
import type { Bench, BenchOptions, ConformanceSubject, Received, Trouble } from "./subject.ts";
import { END_MS, PROMPT_MS, REACH_MS, until, within } from "./wait.ts";

export type AttemptOptions = {
  /** Those of the envelope where not given. */
  readonly recipients?: readonly string[];
  /** Stopped by then. */
  readonly aborted?: boolean;
  /** Stops it from within the report of this stage. */
  readonly abortAt?: Stage;
  /** Asked before the content may be out. Absent: the provider is told of no one to ask. */
  readonly commit?: (attempt: Pick<Attempt, "stages" | "abort">) => Promise<boolean>;
};

/** One attempt under way. */
export type Attempt = {
  /** As reported so far. */
  readonly stages: readonly Stage[];
  /** Held against what every outcome must keep to. Rejects where it does not, or where `send` throws. */
  readonly outcome: Promise<Outcome>;
  abort(): void;
  /** Resolves when it is in this stage. */
  reached(stage: Stage): Promise<void>;
};

type Account = { relayedCount: number; uncertainCount: number };

/**
 * One provider under test. Every attempt and check made through it is held against what all of them must keep to, and
 * at the end the stand-in must have taken what the outcomes say, no more and no less.
 */
export class Trial {
  readonly subject: ConformanceSubject;
  readonly #bench: Bench;
  readonly #said: unknown[] = [];
  /** What the outcomes say was taken, by Mailover's id. */
  readonly #accounts = new Map<string, Account>();

  /** Makes a provider and its stand-in, and ends both whatever comes of the trial. */
  static async run(
    subject: ConformanceSubject,
    options: BenchOptions,
    body: (trial: Trial) => Promise<void>,
  ): Promise<void> {
    const bench = await subject.open(options);
    const trial = new Trial(subject, bench);
    try {
      await body(trial);
      await trial.#conclude();
    } finally {
      await bench.provider.close().catch(() => {});
      await bench.close();
    }
  }

  private constructor(subject: ConformanceSubject, bench: Bench) {
    this.subject = subject;
    this.#bench = bench;
  }

  get provider(): Bench["provider"] {
    return this.#bench.provider;
  }

  get connectionCount(): number {
    return this.#bench.connectionCount();
  }

  get receivedCount(): number {
    return this.#bench.received().length;
  }

  /** Copies of a message that the stand-in has taken. */
  received(message: Message): readonly Received[] {
    return this.#bench.received().filter(({ mailoverId }) => mailoverId === message.id);
  }

  fail(at: Stage, trouble: Trouble): Promise<void> {
    return this.#bench.fail(at, trouble);
  }

  mend(): Promise<void> {
    return this.#bench.mend();
  }

  /** Begins an attempt. */
  begin(message: Message, { recipients, aborted, abortAt, commit }: AttemptOptions = {}): Attempt {
    const transmission = { message, recipients: recipients ?? message.envelope.rcptTo };
    const stages: Stage[] = [];
    const controller = new AbortController();
    if (aborted === true) controller.abort();
    const onStage = (stage: Stage): void => {
      stages.push(stage);
      if (stage === abortAt) controller.abort();
    };
    const before = this.received(message).length;
    const abort = (): void => controller.abort();
    const asking = commit === undefined ? {} : { commit: () => commit({ stages, abort }) };
    const options = { signal: controller.signal, onStage, ...asking };
    const sending = (async () => this.provider.send(transmission, options))();
    let ended = false;
    const outcome = within(END_MS, "send()", sending)
      .then((outcome) => {
        this.#said.push(outcome);
        assertOutcome(outcome, transmission, this.subject.rules);
        this.#account(message, outcome);
        if (outcome.kind === "relayed") this.#assertTaken(message, before, transmission.recipients, outcome);
        return outcome;
      })
      .finally(() => {
        ended = true;
      });
    outcome.catch(() => {});
    return {
      stages,
      outcome,
      abort,
      reached: async (stage) => {
        await until(`an attempt comes to stage ${stage}`, () => ended || stages.at(-1) === stage, REACH_MS);
        if (!ended) return;
        assert.fail(`an attempt ended before stage ${stage}: ${JSON.stringify(await outcome)}`);
      },
    };
  }

  /** Makes an attempt. */
  send(message: Message, options: AttemptOptions = {}): Promise<Outcome> {
    return this.begin(message, options).outcome;
  }

  /** Makes an attempt that must succeed for all its recipients, and gives what the stand-in got. */
  async relay(message: Message, options: AttemptOptions = {}): Promise<Received> {
    const outcome = await this.send(message, options);
    assert.equal(outcome.kind, "relayed", `expected relayed: ${JSON.stringify(outcome)}`);
    assert.deepEqual(outcome.refused, []);
    const received = this.received(message).at(-1);
    assert.ok(received !== undefined, "relayed, and the stand-in has nothing");
    return received;
  }

  /** Makes a check, which must carry no mail. */
  async verify(options: Partial<SendOptions> = {}): Promise<Verification> {
    const { signal = new AbortController().signal, onStage = () => {} } = options;
    const before = this.receivedCount;
    const checking = (async () => this.provider.verify({ signal, onStage }))();
    const verification = await within(END_MS, "verify()", checking);
    this.#said.push(verification);
    assertVerification(verification, this.subject.rules);
    assert.equal(this.receivedCount, before, "verify() sent mail");
    return verification;
  }

  /** Closes the provider, and waits until none of its connections is left. */
  async close(): Promise<void> {
    await within(END_MS, "close()", (async () => this.provider.close())());
    await until("close() has ended all connections", () => this.connectionCount === 0);
  }

  /** A second copy, or one that no outcome told of, may come late; so this is looked at once all is closed. */
  async #conclude(): Promise<void> {
    await this.close();
    for (const { mailoverId } of this.#bench.received()) {
      assert.ok(this.#accounts.has(mailoverId ?? ""), "the stand-in took mail that no attempt was made with");
    }
    for (const [id, { relayedCount, uncertainCount }] of this.#accounts) {
      const count = this.#bench.received().filter(({ mailoverId }) => mailoverId === id).length;
      const most = relayedCount + uncertainCount;
      assert.ok(
        count >= relayedCount,
        `outcomes say relayed ${relayedCount} times, the stand-in took it ${count} times`,
      );
      assert.ok(count <= most, `outcomes allow for ${most} copies, the stand-in took ${count}`);
    }
    const logged = this.#bench.logged();
    assert.ok(!/@example\.com/i.test(logged), "a notice holds an address");
    const secrets = [...this.#bench.secrets, CONTENT_MARK];
    assertSecret("a notice", logged, secrets);
    for (const said of this.#said) assertSecret("an outcome or a verification", said, secrets);
  }

  #account({ id }: Message, { kind }: Outcome): void {
    const account = this.#accounts.get(id) ?? { relayedCount: 0, uncertainCount: 0 };
    this.#accounts.set(id, account);
    if (kind === "relayed") account.relayedCount += 1;
    if (kind === "uncertain") account.uncertainCount += 1;
  }

  #assertTaken(message: Message, before: number, recipients: readonly string[], { refused }: Outcome): void {
    const taken = this.received(message).slice(before);
    assert.equal(taken.length, 1, `relayed, and the stand-in took it ${taken.length} times`);
    const left = recipients.filter((recipient) => !refused.some((refusal) => refusal.recipient === recipient));
    assert.deepEqual(sorted(taken[0]?.recipients ?? []), sorted(left), "it went to others than the outcome says");
  }
}

/** An attempt that was stopped, or whose provider was closed: it ends soon, and is uncertain only past the content. */
export async function assertStopped(attempt: Attempt, stage: Stage): Promise<void> {
  assertBroken(await within(PROMPT_MS, `an attempt that was stopped in stage ${stage}`, attempt.outcome), stage);
}

/** An attempt that broke off without an answer in a stage. */
export function assertBroken(outcome: Outcome, stage: Stage): void {
  const failure = failureOf(outcome);
  assert.equal(failure.stage, stage, `the stage of ${JSON.stringify(failure)}`);
  assert.equal(outcome.kind === "uncertain", contentMayBeOut(stage), `${outcome.kind}, broken off in stage ${stage}`);
}

/** The failure of an attempt that must not have succeeded. */
export function failureOf(outcome: Outcome): Failure {
  if (outcome.kind !== "relayed") return outcome.failure;
  return assert.fail(`relayed, although it cannot have been: ${JSON.stringify(outcome)}`);
}

/** A connection that is lost may take answers of earlier stages with it, as long as content cannot be out either way. */
export function assertLostBy(failure: Failure, stage: Stage): void {
  const places = [failure.stage, stage].map((each) => STAGES.indexOf(each));
  assert.ok((places[0] ?? 0) <= (places[1] ?? 0), `the connection was lost in ${stage}: ${JSON.stringify(failure)}`);
  assert.equal(contentMayBeOut(failure.stage), contentMayBeOut(stage), `the stage of ${JSON.stringify(failure)}`);
}

function sorted(addresses: readonly string[]): string[] {
  return addresses.map((address) => address.toLowerCase()).sort();
}
