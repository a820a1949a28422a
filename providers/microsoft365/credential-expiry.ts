import type { Clock, Notice } from "../../src/core/index.ts";
import { readCredential } from "./credentials.ts";
import type { CredentialSource } from "./credentials.ts";

const dayMs = 86_400_000;
/** From here on it is told of; the makers of certificates and the owners of tenants may need weeks. */
const warnDays = 60;

const secretsPage = "Entra admin centre > App registrations > {app} > Certificates & secrets";

/** Warns of credentials that expire within 60 days: at once, and then once a day. Each process does for itself. */
export class ExpiryWatch {
  readonly #sources: readonly CredentialSource[];
  readonly #clock: Clock;
  readonly #notice: Notice;
  readonly #timer: NodeJS.Timeout;

  constructor(sources: readonly CredentialSource[], { clock, notice }: { clock: Clock; notice: Notice }) {
    this.#sources = sources;
    this.#clock = clock;
    this.#notice = notice;
    this.#timer = setInterval(() => void this.check(), dayMs).unref();
    void this.check();
  }

  /** Looks at all credentials now. What cannot be read, or has been refused as expired, is told of where it is used. */
  async check(): Promise<void> {
    for (const source of this.#sources) {
      const now = this.#clock();
      const reading = await readCredential(source, now);
      if (!reading.ok || reading.expiresAt === null) continue;
      const days = Math.max(0, Math.floor((reading.expiresAt - now) / dayMs));
      if (days > warnDays) continue;
      const { field } = source;
      const expires = new Date(reading.expiresAt).toISOString();
      const reason = `${field} ${reading.expiresAt > now ? "expires" : "expired"} at ${expires}`;
      this.#notice("credential.expires", { credential: field, days, reason, remedy: remedyFor(field) });
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function remedyFor(field: string): string {
  if (field.endsWith("certificate")) {
    return `Make a new certificate; ${secretsPage} > Certificates > Upload certificate; then replace the file of ${field}.file: it is read again without a restart.`;
  }
  const expiry = field.replace(/clientSecret$/, "secretExpiresAt");
  return `${secretsPage} > Client secrets > New client secret; put its Value into ${field} and its end into ${expiry}.`;
}
