import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { contentMayBeOut } from "../../core/index.ts";
import type { Message } from "../../core/index.ts";
import { assertInOrder } from "../expectations.ts";
import { sample, largeSample } from "../samples.ts";
import type { ConformanceCase, ConformanceSubject } from "../subject.ts";
import { Trial } from "../trial.ts";

const PATIENT = { impatient: false } as const;

/** What is asked of `declines` for each message and provider, on the thread that serves all mail. */
const QUICK_MS = 250;

export function successCases(subject: ConformanceSubject): readonly ConformanceCase[] {
  const trial = (name: string, body: (trial: Trial) => Promise<void>): ConformanceCase => ({
    name,
    run: () => Trial.run(subject, PATIENT, body),
  });
  return [
    trial("success: it names itself and what it can do", async ({ provider }) => {
      assert.equal(provider.kind, subject.kind);
      assert.notEqual(provider.name, "");
      const { maxMessageBytes, maxRecipients, maxConnections } = provider.capabilities;
      for (const limit of [maxMessageBytes, maxRecipients, maxConnections]) assert.ok(limit >= 1);
    }),
    trial("success: a message is relayed, and each stage is reported in order", async (trial) => {
      const message = await sample(subject.from);
      const attempt = trial.begin(message);
      assert.equal((await attempt.outcome).kind, "relayed");
      assertInOrder(attempt.stages);
      assert.deepEqual([...new Set(attempt.stages)], subject.stages);
      assert.equal(trial.received(message)[0]?.messageId, message.messageId);
    }),
    trial(
      "success: on a kept connection stages are in order as well, and end where the content is out",
      async (trial) => {
        await trial.relay(await sample(subject.from));
        const attempt = trial.begin(await sample(subject.from));
        assert.equal((await attempt.outcome).kind, "relayed");
        assertInOrder(attempt.stages);
        const last = attempt.stages.at(-1);
        assert.ok(last !== undefined && contentMayBeOut(last), `the last stage is ${last}`);
      },
    ),
    trial("success: the same message twice is the same content and the same ids", async (trial) => {
      const message = await sample(subject.from, {
        html: "<p>one</p>",
        attachments: [{ filename: "a", content: "b" }],
      });
      const first = await trial.relay(message);
      const second = await trial.relay(message);
      assert.ok(isDeepStrictEqual(second, first), "the second attempt's message differs from the first one's");
    }),
    trial("success: a kept connection that was lost meanwhile loses no mail and doubles none", async (trial) => {
      await trial.relay(await sample(subject.from));
      await trial.fail("connect", "refuse");
      await trial.mend();
      const outcome = await trial.send(await sample(subject.from));
      assert.notEqual(outcome.kind, "uncertain", "nothing can have been sent on a connection that was lost");
      if (outcome.kind !== "relayed") await trial.relay(await sample(subject.from));
    }),
    trial("declines(): answers at once, always the same, and touches neither network nor message", async (trial) => {
      for (const message of [await sample(subject.from), await largeSample(subject.from)]) {
        const [bytes, parts] = [Buffer.from(message.mime), structuredClone(message.parts)];
        assert.equal(quickly(trial, message), null, "it declines an ordinary message");
        assert.equal(quickly(trial, message), null, "its answer changed");
        assert.ok(
          message.mime.equals(bytes) && isDeepStrictEqual(structuredClone(message.parts), parts),
          "it changed the message",
        );
      }
      assert.equal(trial.connectionCount, 0, "it connected");
    }),
  ];
}

function quickly({ provider }: Trial, message: Message): ReturnType<typeof provider.declines> {
  const startedAt = performance.now();
  const declination = provider.declines(message);
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs < QUICK_MS, `declines() took ${Math.round(tookMs)} ms`);
  return declination;
}
