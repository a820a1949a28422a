import nodemailer from "nodemailer";

/**
 * The baseline: what most apps have. Two of nodemailer's pools with their defaults, and "catch any error, try the next".
 * It keeps nothing: what both refuse is lost.
 */
export class HandWritten {
  readonly #primary;
  readonly #fallback;

  constructor(ports: { readonly primaryPort: number; readonly fallbackPort: number }) {
    const common = { host: "127.0.0.1", secure: false, ignoreTLS: true, pool: true as const, maxConnections: 10 };
    this.#primary = nodemailer.createTransport({
      ...common,
      port: ports.primaryPort,
      auth: { user: "bench", pass: "bench" },
    });
    this.#fallback = nodemailer.createTransport({ ...common, port: ports.fallbackPort });
  }

  /** Without waiting, as a web request would. */
  push(message: object): void {
    void this.#send(message).catch(() => undefined);
  }

  async #send(message: object): Promise<void> {
    try {
      await this.#primary.sendMail(message);
    } catch {
      await this.#fallback.sendMail(message);
    }
  }

  close(): void {
    this.#primary.close();
    this.#fallback.close();
  }
}
