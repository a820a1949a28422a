import type { Cause, Failure, Outcome, Scope, Stage } from "../../../src/core/index.ts";
import { classify } from "../../../src/core/index.ts";
import type { Evidence, Rule } from "../../../src/core/index.ts";
import { readEvidence } from "../../../src/operations/evidence-reader.ts";
import { entraRules } from "../../../providers/microsoft365/entra-rules.ts";
import { exchangeRules, microsoft365Rules } from "../../../providers/microsoft365/classify.ts";
import entraFixtures from "../../../providers/microsoft365/fixtures/entra.json" with { type: "json" };
import exchangeFixtures from "../../../providers/microsoft365/fixtures/exchange.json" with { type: "json" };
import { networkRules } from "../../../providers/network-rules.ts";
import { sendgridRules } from "../../../providers/sendgrid/classify.ts";
import sendgridFixtures from "../../../providers/sendgrid/fixtures/replies.json" with { type: "json" };
import { smtpRules } from "../../../providers/smtp/classify.ts";
import smtpFixtures from "../../../providers/smtp/fixtures/replies.json" with { type: "json" };

/** A real reply and what it has to come to. One of `reply`, `http`, `error` and `token` is there. */
export type Fixture = {
  readonly rule: string;
  readonly stage: string;
  readonly reply?: string;
  readonly http?: { readonly status: number; readonly body: unknown };
  readonly error?: { readonly code: string; readonly message: string };
  readonly token?: object;
  readonly expect: {
    readonly cause: string;
    readonly kind: string;
    readonly scope: string;
    readonly retryAfterMs?: number;
    readonly elsewhere?: boolean;
  };
};

/** A table of rules as a provider uses it, the rows of it that are its own, and the replies that show them. */
export type Table = {
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly own: readonly Rule[];
  readonly fixtures: readonly Fixture[];
};

const networkFixtures = (smtpFixtures as readonly Fixture[]).filter(({ rule }) =>
  networkRules.some(({ id }) => id === rule),
);

export const tables: readonly Table[] = [
  { name: "smtp", rules: smtpRules, own: smtpRules, fixtures: smtpFixtures },
  { name: "microsoft365", rules: microsoft365Rules, own: exchangeRules, fixtures: exchangeFixtures },
  {
    name: "Entra ID",
    rules: [...entraRules, ...microsoft365Rules],
    own: entraRules,
    fixtures: entraFixtures as readonly Fixture[],
  },
  {
    name: "sendgrid",
    rules: sendgridRules,
    own: sendgridRules,
    fixtures: [...(sendgridFixtures as readonly Fixture[]), ...networkFixtures],
  },
];

/** The evidence a provider would make of this reply. */
export function evidenceOf(fixture: Fixture): Evidence {
  const stage = fixture.stage as Stage;
  const { reply, http, error, token } = fixture;
  if (reply !== undefined) return readEvidence(reply, stage).evidence;
  if (http !== undefined) return readEvidence(JSON.stringify({ ...http, statusCode: http.status }), stage).evidence;
  return readEvidence(JSON.stringify(error ?? token), stage).evidence;
}

/** What the failure comes to, in the form of a fixture's expectation. */
export function summaryOf(failure: Failure, kind: Outcome["kind"]): Fixture["expect"] & { cause: Cause; scope: Scope } {
  const { cause, scope, retryAfterMs, elsewhere } = failure;
  return {
    cause,
    kind,
    scope,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(elsewhere !== undefined && { elsewhere }),
  };
}

/** The failure that a table makes of a reply. */
export const judge = (rules: readonly Rule[], fixture: Fixture): Failure => classify(rules, evidenceOf(fixture));
