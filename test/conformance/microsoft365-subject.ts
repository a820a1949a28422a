import { microsoft365 } from "../../providers/microsoft365/index.ts";
import type { Stage } from "../../src/core/index.ts";
import { LAB_ACCOUNT, startEntra, startExchange } from "../../src/testing/index.ts";
import type {
  Bench,
  CertificateAuthority,
  ConformanceSubject,
  EntraFault,
  SmtpFault,
  Trouble,
} from "../../src/testing/index.ts";
import { openSocketsTo } from "./client-sockets.ts";
import { IMPATIENT_MS, impatientTimeouts, makeProvider } from "./made-provider.ts";
import { receivedMime, smtpFault, smtpTroubles } from "./smtp-faults.ts";

const { mailbox, clientSecret } = LAB_ACCOUNT;

const verifyStages: readonly Stage[] = ["token", "dns", "connect", "greeting", "ehlo", "starttls", "auth"];
const stages: readonly Stage[] = [...verifyStages, "mail", "rcpt", "data", "content", "reply"];

/** The provider `microsoft365` with a client secret, against the lab's Entra ID and Exchange Online. */
export function microsoft365Subject(authority: CertificateAuthority): ConformanceSubject {
  return {
    kind: "microsoft365",
    rules: microsoft365.rules,
    stages,
    verifyStages,
    troubles: { token: ["refuse", "repeat-secrets", "silence", "drop"], ...smtpTroubles(stages) },
    from: mailbox,
    unwanted: ["unknown@example.com", "unknown@example.org"],
    open: async ({ impatient }): Promise<Bench> => {
      const entra = await startEntra({ authority });
      const tokens: string[] = [];
      const exchange = await startExchange({
        authority,
        entra: { checkToken: (token) => (tokens.push(token), entra.checkToken(token)) },
        rules: { overRate: "off", blockedAfterRefusals: Infinity },
      });
      const made = makeProvider(microsoft365, {
        tenantId: LAB_ACCOUNT.tenantId,
        clientId: LAB_ACCOUNT.clientId,
        mailbox,
        clientSecret,
        host: "localhost",
        port: exchange.port,
        authority: entra.url,
        ca: authority.ca,
        connections: 2,
        ...(impatient ? { timeouts: { ...impatientTimeouts, tokenMs: IMPATIENT_MS } } : {}),
      });
      return {
        ...made,
        get secrets() {
          return [clientSecret, ...new Set(tokens)];
        },
        received: () => exchange.accepted.map(receivedMime),
        connectionCount: () => openSocketsTo([entra.port, exchange.port]),
        fail: async (at, trouble) => {
          if (at === "token") return entra.setFault(entraFault(trouble));
          // A check brings the token that it can repeat, and that the attempt will come with.
          if (trouble === "repeat-secrets") await made.provider.verify(UNWATCHED);
          return exchange.setFault(at === "auth" ? authFault(trouble, tokens) : smtpFault(at, trouble, tokens));
        },
        mend: async () => {
          await entra.setFault(null);
          await exchange.setFault(null);
        },
        close: async () => {
          await exchange.close();
          await entra.close();
        },
      };
    },
  };
}

const UNWATCHED = { signal: new AbortController().signal, onStage: (): void => {} };

/** Exchange's refusal that stands whatever the token, so that none but this one is presented. */
function authFault(trouble: Trouble, tokens: readonly string[]): SmtpFault {
  if (trouble !== "repeat-secrets") return smtpFault("auth", trouble, tokens);
  return { kind: "reply", at: "auth", text: `535 5.7.139 Authentication unsuccessful: ${tokens.join(" ")}` };
}

function entraFault(trouble: Trouble): EntraFault {
  switch (trouble) {
    case "silence":
      return { kind: "silence" };
    case "drop":
      return { kind: "drop" };
    case "repeat-secrets": {
      const error_description = `AADSTS7000215: Invalid client secret provided: ${clientSecret}`;
      return { kind: "response", status: 401, body: { error: "invalid_client", error_description } };
    }
    default:
      return { kind: "aadsts", aadsts: 7_000_222 };
  }
}
