import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CAUSES } from "../../../src/core/index.ts";
import type { Cause, MessageClass, Outcome, UncertainPolicy } from "../../../src/core/index.ts";
import { ScriptedProvider, failureOf, relayed } from "../scripted-provider.ts";
import { Desk } from "./round-of.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const RECIPIENTS = ["ann@example.org", "bob@example.org", "eve@example.org"];
const CAUSE_NAMES = Object.keys(CAUSES) as Cause[];

/** An outcome for all recipients: relayed or failed as a whole, with some refused for causes of their own. */
const anyOutcome: fc.Arbitrary<Outcome> = fc
  .record({
    whole: fc.constantFrom<Cause | "relayed">("relayed", ...CAUSE_NAMES),
    refused: fc.dictionary(
      fc.constantFrom(...RECIPIENTS),
      fc.constantFrom<Cause>("recipient", "busy", "content", "auth"),
      { maxKeys: 2 },
    ),
    elsewhere: fc.boolean(),
  })
  .map(({ whole, refused, elsewhere }) => {
    const refusals = Object.entries(refused).map(([recipient, cause]) => ({ recipient, failure: failureOf(cause) }));
    if (whole === "relayed") return { ...relayed, refused: refusals } as Outcome;
    return { kind: CAUSES[whole].kind, failure: failureOf(whole, { elsewhere }), refused: refusals } as Outcome;
  });

const anyScript = fc.array(anyOutcome, { minLength: 1, maxLength: 12 });

test("whatever providers answer, each message ends, and nothing that was accepted is sent again", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyScript, { minLength: 1, maxLength: 3 }),
      fc.constantFrom<MessageClass>("otp", "transactional", "bulk"),
      fc.constantFrom<UncertainPolicy | null>("resend", "retry", "hold", null),
      async (scripts, messageClass, onUncertain) => {
        const accepted = new Map<string, string>();
        const problems: string[] = [];
        const providers = scripts.map((script, index) => {
          const name = `provider-${index}`;
          const steps = script.map(
            (outcome) =>
              async ({ recipients }: { recipients: readonly string[] }): Promise<Outcome> => {
                for (const recipient of recipients) {
                  if (accepted.has(recipient)) problems.push(`${recipient} was sent again by ${name}`);
                  const isRefused = outcome.refused.some((refusal) => refusal.recipient === recipient);
                  if (outcome.kind === "relayed" && !isRefused) accepted.set(recipient, name);
                }
                return outcome;
              },
          );
          return new ScriptedProvider(name, steps);
        });
        const desk = new Desk(providers, {
          class: messageClass,
          onUncertain,
          // Two hours show the same as three days, in fewer rounds.
          expiresAt: new Date(Date.now() + 7_200_000),
          envelope: { mailFrom: "app@contoso.com", rcptTo: RECIPIENTS },
        });
        for (let rounds = 0; ; rounds += 1) {
          const resolution = await desk.round();
          if (resolution.kind === "ended") break;
          expect(resolution.kind).toBe("later");
          if (resolution.kind !== "later") return;
          expect(resolution.at).toBeGreaterThan(Date.now());
          expect(rounds).toBeLessThan(2_000);
          await vi.advanceTimersByTimeAsync(resolution.at - Date.now());
        }
        desk.close();
        const { record } = desk;
        expect(problems).toEqual([]);
        expect(["relayed", "bounced", "expired"]).toContain(record.status);
        for (const recipient of record.recipients) {
          expect(recipient.status).not.toBe("pending");
          expect(recipient.status === "relayed").toBe(accepted.has(recipient.address));
        }
        // Nobody bounces for a provider's own trouble: such a message ends by its age, or by another reply.
        const bounced = record.status === "bounced" ? record.recipients : [];
        for (const { reason } of bounced) expect(reason).toMatch(/^(recipient|content|size), as the server said/);
      },
    ),
    { numRuns: 80 },
  );
});
