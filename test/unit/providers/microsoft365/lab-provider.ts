import { expect } from "vitest";
import { microsoft365 } from "../../../../providers/microsoft365/index.ts";
import type { Message, Outcome, Provider, SharedCache, Stage, Verification } from "../../../../src/core/index.ts";
import { DEFAULT_ENTRA_RULES } from "../../../../src/lab/entra-rules.ts";
import { DEFAULT_EXCHANGE_RULES } from "../../../../src/lab/exchange-rules.ts";
import { LAB_ACCOUNT } from "../../../../src/lab/index.ts";
import type { Lab } from "../../../../src/lab/index.ts";
import { messageFrom } from "./message.ts";

export const { mailbox, clientSecret } = LAB_ACCOUNT;

/** Makes the stand-ins as they were at the start, but without a limit of messages a minute. */
export async function resetLab(lab: Lab): Promise<void> {
  await lab.entra.setFault(null);
  await lab.exchange.setFault(null);
  lab.entra.setRules(DEFAULT_ENTRA_RULES);
  lab.exchange.setRules({ ...DEFAULT_EXCHANGE_RULES, overRate: "off" });
  lab.entra.clear();
  lab.exchange.clear();
}

export type Watched = {
  readonly provider: Provider;
  /** What it said beside its outcomes. */
  readonly notices: { event: string; fields: object }[];
  /** Stages of all attempts, one after the other. */
  readonly stages: Stage[];
  send(message?: Message): Promise<Outcome>;
  verify(): Promise<Verification>;
  close(): Promise<void>;
};

/**
 * A provider for the lab's mailbox. Everything that it says is searched for secrets and content, here and now, so that
 * no test can forget to.
 */
export function providerOf(lab: Lab, changes: Record<string, unknown> = {}, cache?: SharedCache): Watched {
  const parsed = microsoft365.settings.safeParse({
    kind: "microsoft365",
    tenantId: LAB_ACCOUNT.tenantId,
    clientId: LAB_ACCOUNT.clientId,
    mailbox,
    ...("certificate" in changes || "federatedTokenFile" in changes ? {} : { clientSecret }),
    host: "localhost",
    port: lab.exchange.port,
    authority: lab.entra.url,
    ca: lab.ca,
    ...changes,
  });
  if (!parsed.success) throw new Error(JSON.stringify(parsed.error.issues));
  const notices: Watched["notices"] = [];
  const stages: Stage[] = [];
  const provider = microsoft365.create("microsoft365", parsed.data, {
    clock: Date.now,
    notice: (event, fields) => notices.push(checked({ event, fields })),
    ...(cache === undefined ? {} : { cache }),
  });
  const options = () => ({ signal: new AbortController().signal, onStage: (stage: Stage) => void stages.push(stage) });
  return {
    provider,
    notices,
    stages,
    send: async (message = messageFrom(mailbox)) =>
      checked(await provider.send({ message, recipients: message.envelope.rcptTo }, options())),
    verify: async () => checked(await provider.verify(options())),
    close: () => provider.close(),
  };
}

/** `eyJ` begins every JWT, and `dXNlcj` every initial response of XOAUTH2. */
function checked<T>(said: T): T {
  const text = JSON.stringify(said);
  for (const secret of [clientSecret, "eyJ", "dXNlcj", "the-content-of-the-message", "-----BEGIN"]) {
    expect(text).not.toContain(secret);
  }
  return said;
}
