import { describe, expect, test } from "vitest";
import { classify, joinReplyLines, parseReply } from "../../../src/core/index.ts";
import type { Stage } from "../../../src/core/index.ts";
import { tables } from "./fixtures.ts";

describe("the lines of a reply", () => {
  const cases: readonly [rule: string, reply: string, joined: string][] = [
    ["one line stays as it is", "550 5.1.1 No such user", "550 5.1.1 No such user"],
    [
      "the codes that lines repeat are taken out",
      "534-5.7.9 Application-specific\r\n534-5.7.9 password\r\n534 5.7.9 required",
      "534-5.7.9 Application-specific password required",
    ],
    ["a line may have a code only", "550-5.1.1 No such\r\n550 user\r\n550", "550-5.1.1 No such user"],
    ["a number that begins a line of words stays", "550-Room\r\n550 4711 is shut", "550-Room 4711 is shut"],
    ["a text without codes is joined too", "550 No such\n user", "550 No such user"],
  ];
  test.each(cases)("%s", (_rule, reply, joined) => expect(joinReplyLines(reply)).toBe(joined));
});

/** A reply as a server would write it that wraps after every word. */
function wrapped(reply: string): string {
  const [, code = "", status = "", words = ""] = /^(\d{3})[ -]([245]\.\d{1,3}\.\d{1,3} )?(.*)$/s.exec(reply) ?? [];
  const lines = words.split(" ");
  return lines.map((word, index) => `${code}${index < lines.length - 1 ? "-" : " "}${status}${word}`).join("\r\n");
}

const replies = tables.flatMap(({ name, rules, fixtures }) =>
  fixtures.flatMap(({ reply, stage }) =>
    reply !== undefined && parseReply(reply) !== null && !/[\r\n]| {2}/.test(reply)
      ? [{ name, rules, reply, stage: stage as Stage }]
      : [],
  ),
);

test.each(replies)("$name: wherever $reply is wrapped, it means the same", ({ rules, reply, stage }) => {
  const ruleOf = (text: string): string | null => {
    const { code = 0, status = null } = parseReply(text) ?? {};
    return classify(rules, { stage, text, replyCode: code, ...(status === null ? {} : { status }) }).rule;
  };
  expect(ruleOf(wrapped(reply))).toBe(ruleOf(reply));
});
