import type { Lab } from "../../lab/index.ts";

/** One act of the demo: what happens to Microsoft 365, and for how long. */
export type Phase = {
  readonly title: string;
  readonly durationMs: number;
  /** Null: it works. */
  readonly begin: ((lab: Lab) => Promise<void>) | null;
};

const WORKS = (title: string, durationMs: number): Phase => ({ title, durationMs, begin: null });

const NOT_ALLOWED =
  "Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. " +
  "Visit https://aka.ms/smtp_auth_disabled for more information.";

/** Microsoft 365 breaks in five ways, one after the other, and comes back each time. */
export const PHASES: readonly Phase[] = [
  WORKS("Microsoft 365 works", 4_000),
  {
    title: "Microsoft 365 refuses connections",
    durationMs: 6_000,
    begin: (lab) => lab.exchange.setFault({ kind: "refuse" }),
  },
  WORKS("Microsoft 365 is back", 5_000),
  {
    title: "Microsoft 365 accepts connections and says nothing",
    durationMs: 7_000,
    begin: (lab) => lab.exchange.setFault({ kind: "silence", at: "any" }),
  },
  WORKS("Microsoft 365 is back", 6_000),
  {
    title: "somebody switches SMTP AUTH off in the tenant",
    durationMs: 6_000,
    begin: (lab) =>
      lab.exchange.setFaults([
        { kind: "reply", at: "auth", text: `535 5.7.139 ${NOT_ALLOWED}` },
        {
          kind: "reply",
          at: "mail",
          text: `530 5.7.57 Client not authenticated to send mail. Error: 535 5.7.139 ${NOT_ALLOWED}`,
        },
      ]),
  },
  WORKS("SMTP AUTH is on again", 6_000),
  {
    title: "Microsoft 365 throttles the mailbox",
    durationMs: 5_000,
    begin: (lab) =>
      lab.exchange.setFault({
        kind: "reply",
        at: "dot",
        text: "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information.",
      }),
  },
  WORKS("Microsoft 365 takes mail again", 6_000),
  {
    title: "a brown-out: Microsoft 365 answers everything four seconds late",
    durationMs: 7_000,
    begin: (lab) => lab.exchange.setFault({ kind: "slow", delayMs: 4_000 }),
  },
  WORKS("Microsoft 365 is well again", 6_000),
];
