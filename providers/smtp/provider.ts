import type {
  Capabilities,
  Message,
  Outcome,
  Provider,
  SendOptions,
  Transmission,
  Verification,
} from "../../src/core/index.ts";
import { smtpRules } from "./classify.ts";
import type { Credentials } from "./credentials.ts";
import { signDkim } from "./dkim.ts";
import type { DkimKey } from "./dkim.ts";
import { pemText } from "./pem.ts";
import { rewriteFrom } from "./rewrite-from.ts";
import { isRsaKey } from "./settings.ts";
import type { SmtpSettings } from "./settings.ts";
import { SmtpTransport } from "./transport.ts";

/** Any SMTP relay, with a password, a token or neither. */
export class SmtpProvider implements Provider {
  readonly name: string;
  readonly kind = "smtp";
  readonly capabilities: Capabilities;
  readonly #settings: SmtpSettings;
  readonly #dkimKey: DkimKey | null;
  readonly #transport: SmtpTransport;

  /** Throws where a file that the settings name cannot be read, or holds no key. */
  constructor(name: string, settings: SmtpSettings) {
    this.name = name;
    this.capabilities = {
      maxMessageBytes: settings.maxMessageBytes,
      maxRecipients: settings.maxRecipients,
      maxConnections: settings.connections,
      idleConnectionMs: settings.idleMs,
      raw: true,
    };
    this.#settings = settings;
    this.#dkimKey = dkimKeyOf(settings);
    const credentials = credentialsOf(settings);
    this.#transport = new SmtpTransport({
      host: settings.host,
      port: settings.port,
      tls: settings.tls,
      ca: settings.ca === undefined ? null : pemText(settings.ca),
      minTlsVersion: settings.minTlsVersion,
      servername: settings.servername ?? null,
      ehloName: settings.name ?? null,
      credentials: credentials === null ? null : async () => credentials,
      rules: smtpRules,
      timeouts: settings.timeouts,
      maxConnections: settings.connections,
      idleMs: settings.idleMs,
      messagesPerConnection: settings.messagesPerConnection,
    });
  }

  declines(): null {
    return null;
  }

  async send(transmission: Transmission, options: SendOptions): Promise<Outcome> {
    const message = await this.#dress(transmission.message);
    return this.#transport.send({ ...transmission, message }, options);
  }

  verify(options: SendOptions): Promise<Verification> {
    return this.#transport.verify(options);
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  /** The message as this provider sends it: From mapped, then signed. */
  async #dress(message: Message): Promise<Message> {
    const mapped = rewriteFrom(message, this.#settings.from);
    if (this.#dkimKey === null) return mapped;
    return { ...mapped, mime: await signDkim(mapped.mime, this.#dkimKey) };
  }
}

const MECHANISMS = { plain: "PLAIN", login: "LOGIN", "cram-md5": "CRAM-MD5" } as const;

function credentialsOf({ auth, user, password, accessToken }: SmtpSettings): Credentials | null {
  if (auth === "none" || user === undefined) return null;
  if (accessToken !== undefined && (auth === "xoauth2" || (auth === "auto" && password === undefined))) {
    return { kind: "xoauth2", user, accessToken };
  }
  if (password === undefined || auth === "xoauth2") return null;
  return { kind: "password", user, password, mechanism: auth === "auto" ? null : MECHANISMS[auth] };
}

function dkimKeyOf({ dkim }: SmtpSettings): DkimKey | null {
  if (dkim === undefined) return null;
  const privateKey = dkim.privateKey ?? pemText(dkim.privateKeyFile ?? "");
  if (!isRsaKey(privateKey)) throw new Error("dkim.privateKeyFile holds no RSA private key in PEM");
  return { domainName: dkim.domainName, keySelector: dkim.keySelector, privateKey };
}
