import { sendgrid } from "../../providers/sendgrid/index.ts";
import type { Stage } from "../../src/core/index.ts";
import { LAB_ACCOUNT, startSendGrid } from "../../src/testing/index.ts";
import type {
  AcceptedMessage,
  Bench,
  CertificateAuthority,
  ConformanceSubject,
  HttpFault,
  Received,
  Trouble,
} from "../../src/testing/index.ts";
import { openSocketsTo } from "./client-sockets.ts";
import { IMPATIENT_MS, makeProvider } from "./made-provider.ts";
import { startTlsFront } from "./tls-front.ts";

const apiKey = LAB_ACCOUNT.sendGridKey;
const stages: readonly Stage[] = ["queue", "dns", "connect", "tls", "http"];

/** The provider `sendgrid` against the lab's API, over TLS. */
export function sendgridSubject(authority: CertificateAuthority): ConformanceSubject {
  return {
    kind: "sendgrid",
    rules: sendgrid.rules,
    stages,
    verifyStages: stages,
    troubles: {
      connect: ["refuse"],
      tls: ["silence", "drop"],
      http: ["refuse", "repeat-secrets", "silence", "drop", "take-then-silence", "take-then-drop"],
    },
    from: "noreply@contoso.com",
    unwanted: ["unknown@nowhere", "nobody@nowhere"],
    open: async ({ impatient }): Promise<Bench> => {
      const api = await startSendGrid();
      const front = await startTlsFront(api.port, authority.server);
      const timeouts = { connectMs: IMPATIENT_MS, responseMs: IMPATIENT_MS };
      const made = makeProvider(sendgrid, {
        apiKey,
        baseUrl: `https://localhost:${front.port}`,
        ca: authority.ca,
        connections: 2,
        ...(impatient ? { timeouts } : {}),
      });
      return {
        ...made,
        secrets: [apiKey],
        received: () => api.accepted.map(receivedParts),
        connectionCount: () => openSocketsTo([front.port]),
        fail: (at, trouble) => {
          if (at === "http") return api.setFault(httpFault(trouble));
          return front.set(trouble === "silence" || trouble === "drop" ? trouble : "refuse");
        },
        mend: async () => {
          await api.setFault(null);
          await front.set("pass");
        },
        close: async () => {
          await front.close();
          await api.close();
        },
      };
    },
  };
}

function httpFault(trouble: Trouble): HttpFault {
  switch (trouble) {
    case "refuse":
      return { kind: "response", status: 403, body: { errors: [{ message: "access forbidden", field: null }] } };
    case "repeat-secrets":
      return { kind: "response", status: 401, body: { errors: [{ message: `no such key: ${apiKey}`, field: null }] } };
    case "silence":
    case "take-then-silence":
      return { kind: "silence", accepted: trouble === "take-then-silence" };
    case "drop":
    case "take-then-drop":
      return { kind: "drop", accepted: trouble === "take-then-drop" };
  }
}

type Mailbox = { readonly email: string; readonly name?: string };

/** As far as the suite looks at a request. */
type MailJson = {
  readonly from: Mailbox;
  readonly personalizations: readonly { readonly to: readonly Mailbox[] }[];
  readonly subject: string;
  readonly content: readonly { readonly type: string; readonly value: string }[];
  readonly attachments?: readonly { readonly filename: string; readonly content: string }[];
};

function receivedParts({ rcptTo, messageId, mailoverId, json }: AcceptedMessage): Received {
  const mail = json as MailJson;
  const ofType = (type: string): string | null => mail.content.find((part) => part.type === type)?.value ?? null;
  return {
    recipients: rcptTo,
    messageId,
    mailoverId,
    content: {
      kind: "parts",
      from: mailbox(mail.from),
      to: mail.personalizations.flatMap(({ to }) => to).map(mailbox),
      subject: mail.subject,
      text: ofType("text/plain"),
      html: ofType("text/html"),
      files: (mail.attachments ?? []).map(({ filename, content }) => ({
        filename,
        content: Buffer.from(content, "base64"),
      })),
    },
  };
}

function mailbox({ email, name }: Mailbox): { readonly name: string | null; readonly address: string } {
  return { name: name ?? null, address: email };
}
