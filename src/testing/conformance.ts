import { abortCases } from "./cases/aborts.ts";
import { closingCases } from "./cases/closing.ts";
import { commitCases } from "./cases/commits.ts";
import { concurrencyCases } from "./cases/concurrency.ts";
import { contentCases } from "./cases/content.ts";
import { failureCases } from "./cases/failures.ts";
import { recipientCases } from "./cases/recipients.ts";
import { successCases } from "./cases/success.ts";
import { verificationCases } from "./cases/verification.ts";
import type { ConformanceCase, ConformanceSubject } from "./subject.ts";

/**
 * What Mailover relies on in a provider, as cases for any test runner. Each case makes a provider of its own, so they may
 * run in any order; but one after the other, since some hold short time limits against it.
 */
export function conformanceCases(subject: ConformanceSubject): readonly ConformanceCase[] {
  return [
    ...successCases(subject),
    ...contentCases(subject),
    ...recipientCases(subject),
    ...failureCases(subject),
    ...abortCases(subject),
    ...commitCases(subject),
    ...verificationCases(subject),
    ...closingCases(subject),
    ...concurrencyCases(subject),
  ];
}
