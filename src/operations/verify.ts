import type { GatewayEvent, Provider, Stage, Verification } from "../core/index.ts";

export type VerificationReport = {
  readonly provider: string;
  readonly verification: Verification;
  readonly tookMs: number;
};

/** Checks one provider without sending mail, within `timeoutMs`. */
export async function verifyProvider(provider: Provider, timeoutMs: number): Promise<VerificationReport> {
  const stages: Stage[] = [];
  const startedAt = performance.now();
  const verification = await provider.verify({
    signal: AbortSignal.timeout(timeoutMs),
    onStage: (stage) => stages.push(stage),
  });
  return {
    provider: provider.name,
    verification: { ...verification, stages },
    tookMs: Math.round(performance.now() - startedAt),
  };
}

/** The report in plain words: each stage, and where it broke what to do. */
export function formatVerification({ provider, verification, tookMs }: VerificationReport): string {
  const path = verification.stages.join(" > ");
  if (verification.ok) return `${provider}: ok (${path}, ${tookMs} ms)`;
  const { stage, cause, reason, remedy } = verification.failure;
  const lines = [`${provider}: ${cause} at ${stage} (${path})`, `  ${reason}`];
  if (remedy !== undefined) lines.push(`  to mend it: ${remedy}`);
  return lines.join("\n");
}

/** What somebody should act on though it still works, such as a secret that expires soon; null where there is nothing to do. */
export function formatNotice({ notice, fields }: Extract<GatewayEvent, { type: "provider.noticed" }>): string | null {
  const { reason, remedy } = fields;
  return remedy === undefined ? null : `  ${reason ?? notice}\n  to mend it: ${remedy}`;
}
