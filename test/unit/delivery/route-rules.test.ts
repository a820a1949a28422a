import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Submission } from "../../../src/core/index.ts";
import {
  describeConditions,
  describeRule,
  factsOf,
  matches,
  routeFor,
  tiersOf,
} from "../../../src/delivery/route-rules.ts";
import type { Conditions, RouteFacts, RouteRule } from "../../../src/delivery/route-rules.ts";
import type { Shift } from "../../../src/control/overlay.ts";

const order: RouteFacts = {
  class: "transactional",
  senderDomain: "mail.contoso.com",
  recipientDomains: ["example.jp", "example.org"],
  tenant: "acme",
  tags: ["order", "receipt"],
};

describe("conditions", () => {
  const cases: readonly [rule: string, when: Conditions, want: boolean][] = [
    ["none: all mail", {}, true],
    ["the class", { class: "transactional" }, true],
    ["another class", { class: "bulk" }, false],
    ["one of several classes", { class: ["otp", "transactional"] }, true],
    ["the sender's domain", { senderDomain: "mail.contoso.com" }, true],
    ["the sender's domain in any case", { senderDomain: "Mail.CONTOSO.com" }, true],
    ["the domain above does not take those below", { senderDomain: "contoso.com" }, false],
    ["it does with a star", { senderDomain: "*.contoso.com" }, true],
    ["with a star over several labels", { senderDomain: "*.com" }, true],
    ["a star does not take the domain itself", { senderDomain: "*.mail.contoso.com" }, false],
    ["a star stands for whole labels", { senderDomain: "*.toso.com" }, false],
    ["one of several domains", { senderDomain: ["fabrikam.com", "*.contoso.com"] }, true],
    ["every recipient's domain", { recipientDomain: ["example.jp", "example.org"] }, true],
    ["more domains than there are recipients", { recipientDomain: ["example.jp", "example.org", "example.net"] }, true],
    ["not the domain of one recipient only", { recipientDomain: "example.jp" }, false],
    ["the tenant", { tenant: "acme" }, true],
    ["a tenant as it is written", { tenant: "Acme" }, false],
    ["one of the message's tags", { tag: "receipt" }, true],
    ["one tag of several", { tag: ["refund", "order"] }, true],
    ["none of its tags", { tag: "refund" }, false],
    ["all of several", { class: "transactional", tenant: "acme", tag: "order" }, true],
    ["not one of several", { class: "transactional", tenant: "other", tag: "order" }, false],
  ];
  test.each(cases)("%s", (_rule, when, want) => {
    expect(matches(when, order)).toBe(want);
  });

  test("no tenant is no tenant's name", () => {
    expect(matches({ tenant: "null" }, { ...order, tenant: null })).toBe(false);
  });

  test("no recipients are in no domain", () => {
    expect(matches({ recipientDomain: "example.jp" }, { ...order, recipientDomains: [] })).toBe(false);
    expect(matches({ class: "transactional" }, { ...order, recipientDomains: [] })).toBe(true);
  });

  test("are those of shifts as well", () => {
    const shift: Shift = { to: "sendgrid", percent: 5, when: { class: "transactional", tag: "order" } };
    expect(matches(shift.when, order)).toBe(true);
  });
});

describe("the route", () => {
  const rules: readonly RouteRule[] = [
    { when: { class: "bulk" }, use: ["sendgrid", "relay"] },
    { when: { tenant: "acme" }, use: [["one", "two"], "sendgrid"] },
    { when: { tag: "order" }, use: ["relay"] },
  ];

  test("is that of the first rule that fits", () => {
    expect(routeFor(rules, order)).toEqual({
      rule: { index: 1, text: "tenant acme: one or two, then sendgrid" },
      tiers: [["one", "two"], ["sendgrid"]],
    });
  });

  test("is none where no rule fits", () => {
    const other = { ...order, tenant: null, tags: [] };
    expect(routeFor(rules, other)).toEqual({ rule: null, tiers: null });
    expect(routeFor([], order)).toEqual({ rule: null, tiers: null });
  });

  const values = fc.oneof(fc.constantFrom("a", "b"), fc.subarray(["a", "b", "*.a"], { minLength: 1 }));
  const conditions: fc.Arbitrary<Conditions> = fc.record(
    { senderDomain: values, recipientDomain: values, tenant: values, tag: values },
    { requiredKeys: [] },
  );
  const facts: fc.Arbitrary<RouteFacts> = fc.record({
    class: fc.constantFrom("otp", "bulk"),
    senderDomain: fc.constantFrom("a", "b", "x.a"),
    recipientDomains: fc.subarray(["a", "b", "x.a"], { minLength: 1 }),
    tenant: fc.constantFrom("a", "b", null),
    tags: fc.subarray(["a", "b", "c"]),
  });

  test("is a rule's only where it fits and none before it does", () => {
    fc.assert(
      fc.property(fc.array(conditions, { maxLength: 5 }), facts, (all, message) => {
        const { rule, tiers } = routeFor(
          all.map((when, index) => ({ when, use: [`provider-${index}`] })),
          message,
        );
        const fitting = all.map((when) => matches(when, message));
        expect(rule?.index ?? -1).toBe(fitting.indexOf(true));
        expect(tiers).toEqual(rule === null ? null : [[`provider-${rule.index}`]]);
      }),
    );
  });

  test("has no more messages with a further condition, and no fewer with a further value", () => {
    fc.assert(
      fc.property(conditions, conditions, facts, (one, other, message) => {
        const narrower = !matches({ ...other, ...one }, message) || matches(one, message);
        const wide = { ...one, ...(one.tag === undefined ? {} : { tag: [one.tag, "more"].flat() }) };
        const wider = !matches(one, message) || matches(wide, message);
        return narrower && wider;
      }),
    );
  });
});

describe("what a rule is called", () => {
  test.each<[want: string, rule: RouteRule]>([
    ["all mail: relay", { when: {}, use: ["relay"] }],
    ["class otp or bulk: relay", { when: { class: ["otp", "bulk"] }, use: ["relay"] }],
    [
      "from *.contoso.com, every recipient in a.jp or b.jp, tenant acme, tag order: one or two, then relay",
      {
        when: { senderDomain: "*.contoso.com", recipientDomain: ["a.jp", "b.jp"], tenant: "acme", tag: ["order"] },
        use: [["one", "two"], "relay"],
      },
    ],
  ])("%s", (want, rule) => {
    expect(describeRule(rule)).toBe(want);
    expect(want.startsWith(`${describeConditions(rule.when)}: `)).toBe(true);
  });
});

test("names of pools stand for their members, as equals", () => {
  const pools = { microsoft365: ["microsoft365-1", "microsoft365-2"] };
  expect(tiersOf(["sendgrid", "microsoft365", "microsoft365-1", "constructor"], pools)).toEqual([
    ["sendgrid"],
    ["microsoft365-1", "microsoft365-2"],
    ["microsoft365-1"],
    ["constructor"],
  ]);
});

test("the facts are the From address's, not the envelope's, and those of all recipients", () => {
  const submission: Pick<Submission, "class" | "from" | "envelope" | "tenant" | "tags"> = {
    class: "otp",
    from: { name: null, address: "app@Contoso.com" },
    envelope: { mailFrom: "bounces@other.com", rcptTo: ["a@B.jp", "b@b.jp", "ü@bücher.example"] },
    tenant: null,
    tags: ["login"],
  };
  expect(factsOf(submission)).toEqual({
    class: "otp",
    senderDomain: "contoso.com",
    recipientDomains: ["b.jp", "xn--bcher-kva.example"],
    tenant: null,
    tags: ["login"],
  });
});
