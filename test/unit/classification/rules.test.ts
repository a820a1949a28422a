import { describe, expect, test } from "vitest";
import { CAUSES, classify } from "../../../src/core/index.ts";
import type { Rule } from "../../../src/core/index.ts";
import { entraRules } from "../../../providers/microsoft365/entra-rules.ts";
import { exchangeRules, microsoft365Rules } from "../../../providers/microsoft365/classify.ts";
import { sendgridRules } from "../../../providers/sendgrid/classify.ts";
import { networkRules } from "../../../providers/network-rules.ts";
import { judge, summaryOf, tables } from "./fixtures.ts";

/** Words of an outage and nothing else; no rule may be so wide as to take them for its own. */
const UNLISTED = "554 5.9.9 Quux";

describe.each(tables)("the rules of $name", ({ rules, own, fixtures }) => {
  test.each(fixtures.map((fixture) => [fixture.rule, fixture] as const))("%s", (id, fixture) => {
    const failure = judge(rules, fixture);
    expect({ rule: failure.rule, ...summaryOf(failure, CAUSES[failure.cause].kind) }).toEqual({
      rule: id,
      ...fixture.expect,
    });
  });

  test("each has a real reply that shows it, and so can be reached", () => {
    const shown = new Set(fixtures.map(({ rule }) => rule));
    expect(own.map(({ id }) => id).filter((id) => !shown.has(id))).toEqual([]);
  });

  test("ids are unique and kebab-case", () => {
    const ids = rules.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(ids.filter((id) => !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id))).toEqual([]);
  });

  test("each says what it means and where that is written, and asks for something", () => {
    const poor = own.filter(
      ({ meaning, source, when }) =>
        meaning.length < 15 || meaning.endsWith(".") || source.length < 8 || Object.keys(when).length === 0,
    );
    expect(poor.map(({ id }) => id)).toEqual([]);
  });

  test("patterns keep no state between replies", () => {
    const stateful = own.filter(({ when }) => when.text?.global === true || when.field?.global === true);
    expect(stateful).toEqual([]);
  });

  test("a quota that is used up is left alone for at least ten minutes", () => {
    const eager = own.filter(({ cause, retryAfterMs }) => cause === "quota" && (retryAfterMs ?? 0) < 600_000);
    expect(eager.map(({ id }) => id)).toEqual([]);
  });

  test("a reply that no rule knows is busy, and named as unknown", () => {
    const unlisted = { stage: "rcpt", text: UNLISTED, replyCode: 554, status: "5.9.9" } as const;
    expect(classify(rules, unlisted)).toMatchObject({ cause: "busy", rule: null, reason: UNLISTED });
  });
});

describe("remedies", () => {
  const forAdministrators = (rules: readonly Rule[]) =>
    rules.filter(({ cause }) => cause === "auth" || cause === "sender" || cause === "quota");

  /** A PowerShell line, a page by its path, an address, or a command. */
  const EXACT = /\b(Get|Set|New|Add|Remove|Test)-[A-Z]\w+ -|[\w)}] > [\w{]|https:\/\/\S+|openssl s_client/;

  test.each([
    ["Exchange Online", exchangeRules],
    ["Entra ID", entraRules],
  ])("every auth, sender and quota row of %s names the exact command or page", (_, rules) => {
    const vague = forAdministrators(rules).filter(({ remedy }) => !EXACT.test(remedy ?? ""));
    expect(vague.map(({ id }) => id)).toEqual([]);
  });

  test("every auth, sender and quota row of SendGrid names the page", () => {
    const vague = forAdministrators(sendgridRules).filter(({ remedy }) => !/SendGrid > \w/.test(remedy ?? ""));
    expect(vague.map(({ id }) => id)).toEqual([]);
  });

  test("every auth, sender and quota row of any table says what to do", () => {
    const silent = tables.flatMap(({ own }) => forAdministrators(own)).filter(({ remedy }) => remedy === undefined);
    expect(silent.map(({ id }) => id)).toEqual([]);
  });
});

describe("the order of tests", () => {
  const cases: readonly [name: string, stage: string, reply: string, cause: string][] = [
    ["550 at AUTH is the login", "auth", "550 5.0.0 Refused", "auth"],
    ["550 at MAIL FROM is the sender", "mail", "550 5.0.0 Refused", "sender"],
    ["550 at RCPT TO is the recipient", "rcpt", "550 5.0.0 Refused", "recipient"],
    ["550 after the content is the message", "reply", "550 5.0.0 Refused", "content"],
    ["554 at the greeting is our address", "greeting", "554 5.0.0 Refused", "reputation"],
    ["554 at RCPT TO alone is no evidence against the recipient", "rcpt", "554 Refused", "busy"],
    ["a 4xx at AUTH says nothing about the credentials", "auth", "421 4.3.0 Closing", "busy"],
    ["a full mailbox at RCPT TO is the recipient's", "rcpt", "552 5.2.2 mailbox full", "recipient"],
    ["a full mailbox after the content is the sender's own", "reply", "554 5.2.2 mailbox full", "quota"],
    ["554 5.2.252 is a refused sender", "reply", "554 5.2.252 SendAsDenied; a@x not allowed to send as b@x", "sender"],
    [
      "550 5.2.252 is a block",
      "reply",
      "550 5.2.252 SendAsDenied; Sender throttled due to continuous send as denied errors",
      "throttled",
    ],
  ];
  test.each(cases)("%s", (_, stage, reply, cause) => {
    const fixture = { rule: "", stage, reply, expect: { cause, kind: "", scope: "" } };
    expect(judge(microsoft365Rules, fixture).cause).toBe(cause);
  });

  test("a lost answer to the content is uncertain, whatever the error", () => {
    const codes = networkRules.flatMap(({ when }) => [when.errorCode ?? []].flat());
    const failures = codes.map((code) => classify(microsoft365Rules, { stage: "reply", text: code, errorCode: code }));
    expect(codes.length).toBeGreaterThan(30);
    expect(new Set(failures.map(({ cause, rule }) => `${cause} ${rule}`))).toEqual(new Set(["uncertain null"]));
  });
});
