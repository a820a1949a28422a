import { expect, test } from "vitest";
import { redactAddresses } from "../../../src/telemetry/redact-addresses.ts";

const cases: readonly [what: string, text: string, shown: string][] = [
  ["an address", "to ann@example.org now", "to ‹hidden›@example.org now"],
  [
    "one in angle brackets",
    "550 5.1.1 <ann@example.org>: User unknown",
    "550 5.1.1 <‹hidden›@example.org>: User unknown",
  ],
  ["several", "ann@example.org,bob@例え.jp", "‹hidden›@example.org,‹hidden›@例え.jp"],
  ["one in another's local part", "bounce+ann=example.org@list.example", "‹hidden›@list.example"],
  ["a quoted local part", '<"ann b. smith"@example.org>', "<‹hidden›@example.org>"],
  [
    "one in an address of a page",
    "see https://x.example/?to=ann%40example.org&x=1",
    "see https:‹hidden›@example.org&x=1",
  ],
  ["a Message-ID", "<abc.123@contoso.com>", "<‹hidden›@contoso.com>"],
  ["a text without one stays", "421 4.3.2 Service not available at 12:30", "421 4.3.2 Service not available at 12:30"],
];

test.each(cases)("%s", (_what, text, shown) => {
  expect(redactAddresses(text)).toBe(shown);
});
