import type { Random } from "../../src/core/index.ts";

/** What is done about a lost answer: as each message's class says, or held in all of them. */
export type Policy = "by class" | "hold";

const CLASSES = ["otp", "transactional", "transactional", "transactional", "bulk"] as const;

/** A message as an app writes it: of any class, some with several recipients, some of whom do not exist. */
export function makeMail(number: number, policy: Policy, random: Random): object {
  const recipientCount = random() < 0.2 ? 3 : 1;
  const to = Array.from({ length: recipientCount }, (_, index) =>
    random() < 0.03 ? `unknown@r${index}.example` : `ann@r${index}.example`,
  );
  return {
    from: "chaos@contoso.example",
    to,
    subject: `Message ${number}`,
    text: "x".repeat(500),
    class: CLASSES[Math.floor(random() * CLASSES.length)],
    ...(policy === "hold" ? { onUncertain: "hold" } : {}),
  };
}
