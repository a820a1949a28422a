import { expect, test } from "vitest";
import { formatNotice } from "../../../src/operations/verify.ts";

const noticed = (fields: Readonly<Record<string, string | number>>) =>
  ({ type: "provider.noticed", provider: "microsoft365", notice: "credential.expires", fields }) as const;

test("a notice that somebody should act on is told in plain words", () => {
  const fields = { days: 3, reason: "clientSecret expires at 2027-03-01", remedy: "Make another." };
  expect(formatNotice(noticed(fields))).toBe("  clientSecret expires at 2027-03-01\n  to mend it: Make another.");
  expect(formatNotice(noticed({ remedy: "Make another." }))).toBe("  credential.expires\n  to mend it: Make another.");
});

test("one that needs nobody is not told", () => {
  expect(formatNotice(noticed({ days: 3 }))).toBeNull();
});
