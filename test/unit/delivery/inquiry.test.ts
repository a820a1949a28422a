import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Lookup, Provider } from "../../../src/core/index.ts";
import { ScriptedProvider, failed, relayed } from "../scripted-provider.ts";
import type { Step } from "../scripted-provider.ts";
import { Desk } from "./round-of.ts";

/** A provider that can be asked, and remembers what it was asked. */
class Askable extends ScriptedProvider {
  readonly asked: { recipients: readonly string[]; attemptedAt: number }[] = [];
  readonly #answers: Lookup[];

  constructor(steps: Step[], answers: Lookup[]) {
    super("first", steps);
    this.#answers = answers;
  }

  lookup: NonNullable<Provider["lookup"]> = async (_message, recipients, attemptedAt) => {
    this.asked.push({ recipients, attemptedAt });
    return (this.#answers.length > 1 ? this.#answers.shift() : this.#answers[0]) ?? { kind: "unknown", reason: "" };
  };
}

const unknown: Lookup = { kind: "unknown", reason: "not yet" };

let desk: Desk;
let second: ScriptedProvider;

function make(first: Askable): void {
  second = new ScriptedProvider("second", [relayed]);
  desk = new Desk([first, second]);
}

async function wait(): Promise<void> {
  const next = Date.parse(desk.record.nextAttemptAt ?? "");
  await vi.advanceTimersByTimeAsync(next - Date.now());
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  desk.close();
  vi.useRealTimers();
});

test("a provider that has the message after all settles it: no second attempt, and no doubt", async () => {
  const first = new Askable([failed("uncertain")], [unknown, { kind: "accepted", remoteId: "r-7", evidence: "found" }]);
  make(first);
  await desk.round();
  await wait();
  await desk.round();
  await wait();
  expect((await desk.round()).record).toMatchObject({ status: "relayed", remoteId: "r-7", possibleDuplicate: false });
  expect(first.sent).toHaveLength(1);
  expect(second.sent).toHaveLength(0);
});

test("one that does not have it frees the message for all, without doubt", async () => {
  const first = new Askable([failed("uncertain"), failed("outage")], [{ kind: "absent", evidence: "nothing there" }]);
  make(first);
  await desk.round();
  await wait();
  expect((await desk.round()).record).toMatchObject({ provider: "second", possibleDuplicate: false });
});

test("one that cannot tell is asked a few times, then the policy's second step is taken, in doubt", async () => {
  const first = new Askable([failed("uncertain"), relayed], [unknown]);
  make(first);
  for (let round = 0; round < 5; round += 1) {
    await desk.round();
    await wait();
  }
  expect((await desk.round()).record).toMatchObject({ provider: "first", possibleDuplicate: true });
  expect(first.asked).toHaveLength(4);
});

test("it is asked about all attempts that are not settled, from the first on", async () => {
  const first = new Askable([failed("uncertain"), failed("uncertain"), relayed], [unknown]);
  make(first);
  const startedAt = Date.now();
  for (let round = 0; round < 7; round += 1) {
    await desk.round();
    await wait();
  }
  expect(first.sent).toHaveLength(2);
  expect(first.asked.at(-1)?.attemptedAt).toBe(startedAt);
});
