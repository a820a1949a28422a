import { describe, expect, test } from "vitest";
import { codeOf, pages, read } from "./pages.ts";

type Command = {
  readonly name: string;
  readonly options: readonly string[];
  readonly hidden: boolean;
  /** What its group does where no other command is given. */
  readonly isDefault: boolean;
};

/** The commands of `src/cli/main.ts`, those of a group with its name before theirs. */
function commandsOf(source: string): Command[] {
  const parts = source.split(
    /^(?=program$|program\.|const \w+ = program$|const \w+ = program\.|[a-z]\w*\n {2}\.command)/m,
  );
  return parts.flatMap((part) => {
    const name = /\.command\("([\w-]+)"/.exec(part)?.[1];
    if (name === undefined) return [];
    const owner = /^(\w+)\n/.exec(part)?.[1] ?? "program";
    return [
      {
        name: owner === "program" || owner === "const" ? name : `${owner} ${name}`,
        options: [...part.matchAll(/"(--[\w-]+)/g)].map((match) => match[1] ?? ""),
        hidden: part.includes("hidden: true"),
        isDefault: part.includes("isDefault: true"),
      },
    ];
  });
}

const commands = commandsOf(read("src/cli/main.ts"));
const names = commands.map(({ name }) => name);

/** Each use of the command line in a page: the words and options that follow it. */
const uses = pages.flatMap((page) =>
  codeOf(page).flatMap((code) =>
    [...code.matchAll(/(?:^|\s)(?:mailover|run --rm gateway|main\.js)((?: +[^\s#&|]+)+)/g)].map((match) => ({
      path: page.path,
      words: (match[1] ?? "")
        .trim()
        .replace(/'[^']*'|"[^"]*"/g, "…")
        .split(/ +/),
    })),
  ),
);

/** The command that the words begin with: of a group the one that is named, or the group where none is. */
function commandOf(words: readonly string[]): Command | undefined {
  const [first = "", second = ""] = words;
  const isGroup = names.some((name) => name.startsWith(`${first} `));
  const wanted = isGroup && /^[a-z]/.test(second) ? `${first} ${second}` : first;
  return commands.find(({ name }) => name === wanted);
}

test("the commands are found in the source, and their uses in the pages", () => {
  expect(names).toEqual(
    expect.arrayContaining(["start", "send", "config", "lab", "lab break", "lab mend", "generate"]),
  );
  expect(uses.length).toBeGreaterThan(20);
});

describe("every command is described somewhere", () => {
  const used = new Set(uses.map(({ words }) => commandOf(words)?.name));
  test.each(commands.filter(({ hidden, isDefault }) => !hidden && !isDefault).map(({ name }) => name))(
    "mailover %s",
    (name) => {
      expect(used).toContain(name);
    },
  );
});

describe("every command in a page exists, with its options", () => {
  test.each(uses.map(({ path, words }) => [path, words.join(" "), words] as const))("%s: %s", (_path, _text, words) => {
    const command = commandOf(words);
    expect(names).toContain(command?.name);
    const options = words.filter((word) => word.startsWith("--")).map((word) => word.split("=")[0]);
    expect(options.filter((option) => option !== "--help" && !command?.options.includes(option ?? ""))).toEqual([]);
  });
});

test("every script of npm in a page exists", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const run = pages.flatMap((page) =>
    [...page.text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map((match) => match[1]),
  );
  expect(run.filter((name) => !((name ?? "") in scripts))).toEqual([]);
});
