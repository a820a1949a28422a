import { onTestFinished } from "vitest";
import { sendgrid } from "../../../../providers/sendgrid/index.ts";
import { settings } from "../../../../providers/sendgrid/settings.ts";
import type { Message, Outcome, Provider, Stage } from "../../../../src/core/index.ts";
import type { KeyPair } from "../../../../src/lab/certificate.ts";
import { startScriptedApi } from "./scripted-api.ts";
import type { ScriptedApi } from "./scripted-api.ts";

export const apiKey = "SG.a-secret-of-the-test";

/** 2026-11-24T10:00:00Z: 14 hours before midnight UTC. */
export const nowMs = Date.UTC(2026, 10, 24, 10);

export function providerAt(baseUrl: string, more: Record<string, unknown> = {}): Provider {
  const parsed = settings.parse({ kind: "sendgrid", apiKey, baseUrl, ...more });
  const provider = sendgrid.create("sendgrid", parsed, { clock: () => nowMs, notice: () => {} });
  onTestFinished(() => provider.close());
  return provider;
}

export async function apiThat(steps: Parameters<typeof startScriptedApi>[0], tls?: KeyPair): Promise<ScriptedApi> {
  const api = await startScriptedApi(steps, tls);
  onTestFinished(() => api.close());
  return api;
}

export type Sent = { readonly outcome: Outcome; readonly stages: readonly Stage[] };

export async function send(
  provider: Provider,
  message: Message,
  { signal = new AbortController().signal, recipients = message.envelope.rcptTo } = {},
): Promise<Sent> {
  const stages: Stage[] = [];
  const outcome = await provider.send({ message, recipients }, { signal, onStage: (stage) => stages.push(stage) });
  return { outcome, stages };
}
