import type { Failure } from "../../src/core/index.ts";

/** The permission without which SendGrid refuses every message. */
const MAIL_SEND = "mail.send";

/** What is wrong with a key whose scopes (GET /v3/scopes) these are, or null where it may send mail. */
export function lacksMailSend(body: unknown): Failure | null {
  const scopes = typeof body === "object" && body !== null && "scopes" in body ? body.scopes : undefined;
  if (Array.isArray(scopes) && scopes.includes(MAIL_SEND)) return null;
  return {
    cause: "auth",
    scope: "provider",
    status: "5.7.8",
    reason: `the API key is valid but lacks the permission ${MAIL_SEND}`,
    stage: "http",
    rule: null,
    remedy:
      "At https://app.sendgrid.com/settings/api_keys edit the key: Restricted Access with Mail Send, or Full Access.",
  };
}
