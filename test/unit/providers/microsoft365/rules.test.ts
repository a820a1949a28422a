import { describe, expect, test } from "vitest";
import type { CredentialProblem } from "../../../../providers/microsoft365/certificate-file.ts";
import { microsoft365 } from "../../../../providers/microsoft365/index.ts";
import { classify } from "../../../../src/core/index.ts";

const { rules } = microsoft365;

describe("each problem of our own credential is a matter of credentials, with what to do", () => {
  // As a record, so that a new code fails to compile until it has its row.
  const ruleOf: Record<CredentialProblem["errorCode"], string> = {
    CREDENTIAL_FILE_UNREADABLE: "credential-file-unreadable",
    CERTIFICATE_PASSWORD_WRONG: "certificate-password-wrong",
    CERTIFICATE_UNUSABLE: "certificate-unusable",
    CERTIFICATE_NOT_YET_VALID: "certificate-not-yet-valid",
    CERTIFICATE_EXPIRED: "certificate-expired",
  };
  test.each(Object.entries(ruleOf))("%s", (errorCode, rule) => {
    const failure = classify(rules, { stage: "token", text: "certificate.file: app.pem: …", errorCode });
    expect(failure).toMatchObject({ cause: "auth", rule, remedy: expect.any(String) });
  });
});

test("a rule's id is there once", () => {
  const ids = rules.map(({ id }) => id);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
});

test("a busy login service is never a matter of credentials", () => {
  for (const httpStatus of [429, 500, 502, 503, 504]) {
    const failure = classify(rules, { stage: "token", text: "", httpStatus, errorCode: "token_parsing_error" });
    expect(["outage", "throttled"]).toContain(failure.cause);
  }
});
