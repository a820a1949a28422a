import type { Failure } from "../../src/core/index.ts";

/** The permission without which SendGrid refuses every message. */
const MAIL_SEND = "mail.send";

/** What is wrong with a key whose scopes (GET /v3/scopes) these are, or null where it may send mail. */
export function lacksMailSend(body: unknown): Failure | null {
  const scopes = typeof body === "object" && body !== null && "scopes" in body ? body.scopes : undefined;
  if (!Array.isArray(scopes)) {
    return failure(
      "the answer to GET /v3/scopes holds no scopes: what answers is not SendGrid's API",
      "Correct baseUrl, or leave it out; a proxy on the way may be the one that answers.",
    );
  }
  if (scopes.includes(MAIL_SEND)) return null;
  return failure(
    `the API key is valid but lacks the permission ${MAIL_SEND}`,
    "At https://app.sendgrid.com/settings/api_keys edit the key: Restricted Access with Mail Send, or Full Access.",
  );
}

function failure(reason: string, remedy: string): Failure {
  return { cause: "auth", scope: "provider", status: "5.7.8", reason, stage: "http", rule: null, remedy };
}
