import assert from "node:assert/strict";
import { RECIPIENT, sample } from "../samples.ts";
import type { ConformanceCase, ConformanceSubject } from "../subject.ts";
import { Trial } from "../trial.ts";

export function recipientCases(subject: ConformanceSubject): readonly ConformanceCase[] {
  const { from, unwanted } = subject;
  const trial = (name: string, body: (trial: Trial) => Promise<void>): ConformanceCase => ({
    name: `recipients: ${name}`,
    run: () => Trial.run(subject, { impatient: false }, body),
  });
  return [
    trial("one is refused for good, the others get their mail", async (trial) => {
      const to = [RECIPIENT, unwanted[0], "taro@example.com"];
      const outcome = await trial.send(await sample(from, { to }));
      assert.equal(outcome.kind, "relayed", JSON.stringify(outcome));
      assert.deepEqual(
        outcome.refused.map(({ recipient }) => recipient),
        [unwanted[0]],
      );
      for (const { failure } of outcome.refused) assert.equal(failure.scope, "recipient");
    }),
    ...[unwanted.slice(0, 1), unwanted].map((to) =>
      trial(`${to.length === 1 ? "the only one is" : "all are"} refused for good`, async (trial) => {
        const outcome = await trial.send(await sample(from, { to }));
        assert.equal(outcome.kind, "rejected", JSON.stringify(outcome));
        if (outcome.kind === "rejected") assert.equal(outcome.failure.scope, "recipient");
        assert.deepEqual(new Set(outcome.refused.map(({ recipient }) => recipient)), new Set(to));
      }),
    ),
    trial("only those of the attempt get it, whoever stands in the header", async (trial) => {
      const message = await sample(from, { to: [RECIPIENT, "taro@example.com"], cc: "jiro@example.com" });
      const { recipients } = await trial.relay(message, { recipients: ["taro@example.com"] });
      assert.deepEqual(recipients, ["taro@example.com"]);
    }),
  ];
}
