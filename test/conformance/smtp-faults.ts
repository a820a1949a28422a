import type { Stage } from "../../src/core/index.ts";
import type { AcceptedMessage, Received, SmtpFault, SmtpPoint, Trouble } from "../../src/testing/index.ts";

/** The stages of SMTP in which the lab can break, and how it refuses in each. */
const REFUSALS: Readonly<Partial<Record<Stage, readonly [point: SmtpPoint, reply: string]>>> = {
  greeting: ["greeting", "554 5.3.2 No service here"],
  ehlo: ["ehlo", "550 5.7.1 Not with that name"],
  starttls: ["starttls", "454 4.7.0 TLS not available due to temporary reason"],
  auth: ["auth", "535 5.7.8 Error: authentication failed"],
  mail: ["mail", "451 4.3.0 Queue file write error"],
  rcpt: ["rcpt", "450 4.2.0 Recipient address rejected: Greylisted"],
  data: ["data", "451 4.3.0 Error: try again later"],
  reply: ["dot", "554 5.6.0 Message refused"],
};

const WAYS = ["refuse", "silence", "drop"] as const;

/** Every trouble that the lab has for a session of these stages. Secrets it can only repeat once it was told them. */
export function smtpTroubles(stages: readonly Stage[]): Partial<Record<Stage, readonly Trouble[]>> {
  const authAt = stages.indexOf("auth");
  const waysOf = (stage: Stage): readonly Trouble[] => {
    if (stage === "connect") return ["refuse"];
    if (stage === "tls" || stage === "content") return ["silence", "drop"];
    if (REFUSALS[stage] === undefined) return [];
    const told = authAt !== -1 && stages.indexOf(stage) >= authAt;
    return [
      ...WAYS,
      ...(told ? (["repeat-secrets"] as const) : []),
      ...(stage === "reply" ? (["take-then-silence", "take-then-drop"] as const) : []),
    ];
  };
  return Object.fromEntries(stages.map((stage) => [stage, waysOf(stage)]));
}

export function smtpFault(stage: Stage, trouble: Trouble, secrets: readonly string[]): SmtpFault {
  if (stage === "connect") return { kind: "refuse" };
  const [at, text] = REFUSALS[stage] ?? [stage as SmtpPoint, ""];
  switch (trouble) {
    case "refuse":
      return { kind: "reply", at, text };
    case "repeat-secrets":
      return { kind: "reply", at, text: `${text}: ${secrets.join(" ")}` };
    case "silence":
      return { kind: "silence", at };
    case "drop":
      return { kind: "drop", at };
    case "take-then-silence":
      return { kind: "silence", at, accepted: true };
    case "take-then-drop":
      return { kind: "drop", at, accepted: true };
  }
}

export function receivedMime({ rcptTo, messageId, mailoverId, mailFrom, content }: AcceptedMessage): Received {
  return { recipients: rcptTo, messageId, mailoverId, content: { kind: "mime", mailFrom, bytes: content } };
}
