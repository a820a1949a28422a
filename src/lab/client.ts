import type { AcceptedAnswer, AcceptedJson, ErrorAnswer, FaultsAnswer, LabState } from "./control.ts";
import type { Fault } from "./fault.ts";
import type { LabServerName } from "./lab.ts";

/** What a call of the control API came to. `error` is a sentence for people. */
export type LabAnswer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string };

/** Calls the control API of a lab that runs in another process. */
export class LabClient {
  readonly #url: string;
  readonly #timeoutMs: number;

  /** `url`: base address of the control API, `http://127.0.0.1:…`. */
  constructor(url: string, timeoutMs = 5_000) {
    this.#url = url.replace(/\/$/, "");
    this.#timeoutMs = timeoutMs;
  }

  async state(): Promise<LabAnswer<LabState>> {
    return this.#ask<LabState>("GET", "/");
  }

  /** Sets one fault or several in place of all that are set on the server; returns what is set then. */
  async setFaults(server: LabServerName, faults: Fault | readonly Fault[]): Promise<LabAnswer<FaultsAnswer>> {
    return this.#ask<FaultsAnswer>("PUT", `/faults/${server}`, faults);
  }

  async clearFaults(server: LabServerName): Promise<LabAnswer<FaultsAnswer>> {
    return this.#ask<FaultsAnswer>("DELETE", `/faults/${server}`);
  }

  /** The newest messages that the server has accepted, oldest first. */
  async accepted(server: LabServerName, limit = 100): Promise<LabAnswer<readonly AcceptedJson[]>> {
    const answer = await this.#ask<AcceptedAnswer>("GET", `/accepted/${server}?limit=${limit}`);
    return answer.ok ? { ok: true, value: answer.value.accepted } : answer;
  }

  async #ask<T>(method: string, path: string, body?: unknown): Promise<LabAnswer<T>> {
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(`${this.#url}${path}`, {
        method,
        signal: AbortSignal.timeout(this.#timeoutMs),
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });
      answer = await response.json();
    } catch {
      return { ok: false, error: `no lab answers at ${this.#url}` };
    }
    return response.ok ? { ok: true, value: answer as T } : { ok: false, error: (answer as ErrorAnswer).error };
  }
}
