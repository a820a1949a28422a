import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { HOMES } from "./architecture/layers.ts";
import { cycleViolations, hygieneViolations, layerViolations, libraryViolations } from "./architecture/rules.ts";
import { importsOf, readTree } from "./architecture/source.ts";
import type { SourceFile } from "./architecture/source.ts";

const root = join(import.meta.dirname, "..");
const files = readTree(root, ["src", "providers"]);
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
};

describe("this tree", () => {
  test("is read", () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap(importsOf).length).toBeGreaterThan(100);
  });

  test("imports one way", () => {
    expect(layerViolations(files)).toEqual([]);
  });

  test("has no circles of folders", () => {
    expect(cycleViolations(files)).toEqual([]);
  });

  test("has one home for each library", () => {
    expect(libraryViolations(files, manifest)).toEqual([]);
    expect(Object.keys(HOMES).toSorted()).toEqual(Object.keys(manifest.dependencies).toSorted());
  });

  test("is tidy", () => {
    expect(hygieneViolations(files)).toEqual([]);
  });
});

/** A tree of files that hold one import each. */
function tree(...imports: readonly (readonly [path: string, target: string])[]): SourceFile[] {
  return imports.map(([path, target]) => ({ path, text: `import { it } from "${target}";\n` }));
}

describe("an import the wrong way is found", () => {
  const bad: readonly [path: string, target: string, want: string][] = [
    ["src/core/rule.ts", "zod", "src/core imports nothing but itself"],
    ["src/core/rule.ts", "node:fs", "src/core imports nothing but itself"],
    ["src/core/rule.ts", "../message/parse.ts", "src/core may import nothing but itself"],
    ["src/gate/gate.ts", "../queue/mail-queue.ts", "src/gate may import src/core"],
    ["src/redis/connection.ts", "../config/index.ts", "src/redis may import src/core"],
    ["src/delivery/deliver.ts", "../../providers/smtp/index.ts", "src/delivery may import"],
    ["src/submission/submit.ts", "../ingress/http/server.ts", "src/submission may import"],
    ["src/operations/status.ts", "../dashboard/page.ts", "src/operations may import"],
    ["src/delivery/deliver.ts", "../lab/relay.ts", "src/lab is for src/cli, src/testing"],
    ["src/app.ts", "./lab/relay.ts", "src/lab is for src/cli, src/testing"],
    ["src/app.ts", "./cli/main.ts", "src/cli is for nobody"],
    ["src/queue/mail-queue.ts", "../app.ts", "src/app.ts is for"],
    ["src/client.ts", "./delivery/deliver.ts", "src/client.ts may import"],
    ["src/app.ts", "./client.ts", "src/client.ts is for src/index.ts"],
    ["providers/sendgrid/index.ts", "../microsoft365/index.ts", "providers/sendgrid may import"],
    ["providers/sendgrid/index.ts", "../../src/gate/gate.ts", "providers/sendgrid may import"],
    ["providers/sendgrid/index.ts", "../index.ts", "providers/sendgrid may import"],
    ["providers/smtp/index.ts", "../../src/message/parse.ts", "providers/smtp may import"],
    ["src/somewhere/new.ts", "../core/index.ts", "has no place in test/architecture/layers.ts"],
    ["providers/carrier-pigeon/index.ts", "../../src/core/index.ts", "has no place"],
  ];
  test.each(bad)("%s -> %s", (path, target, want) => {
    const violations = layerViolations(tree([path, target]));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(want);
  });

  const good: readonly [path: string, target: string][] = [
    ["src/core/rule.ts", "./cause.ts"],
    ["src/gate/gate.ts", "../core/index.ts"],
    ["src/gate/gate.ts", "node:timers/promises"],
    ["src/ingress/http/server.ts", "../../submission/submit.ts"],
    ["providers/microsoft365/index.ts", "../smtp/classify.ts"],
    ["providers/microsoft365/rules/access.ts", "../../../src/core/index.ts"],
    ["providers/index.ts", "./sendgrid/index.ts"],
    ["src/app.ts", "../providers/index.ts"],
    ["src/cli/main.ts", "../lab/index.ts"],
  ];
  test.each(good)("but not %s -> %s", (path, target) => {
    expect(layerViolations(tree([path, target]))).toEqual([]);
  });
});

test("each way to write an import is seen", () => {
  const text = [
    'import "./a.ts";',
    'import type { B } from "./b.ts";',
    "import {\n  C,\n} from './c.ts';",
    'export * from "./d.ts";',
    'const e = await import("./e.ts");',
    'const f: import("./f.ts").F = e;',
    'const g = import.meta.resolve("./g.ts");',
    'const h = require("./h.ts");',
    '// import "./no.ts";',
    '/**\n * import { no } from "./no.ts";\n */',
    'const s = "from ./no.ts";',
  ].join("\n");
  const seen = importsOf({ path: "src/core/x.ts", text }).map(({ target }) => target);
  expect(seen.toSorted()).toEqual([..."abcdefgh"].map((letter) => `src/core/${letter}.ts`));
});

test("folders in a circle are found, each circle once", () => {
  const circle = tree(
    ["src/queue/a.ts", "../events/b.ts"],
    ["src/events/b.ts", "../ledger/c.ts"],
    ["src/ledger/c.ts", "../queue/a.ts"],
    ["src/gate/d.ts", "../queue/a.ts"],
  );
  expect(cycleViolations(circle)).toEqual([
    "src/events -> src/ledger -> src/queue -> src/events: folders import each other in a circle",
  ]);
  expect(cycleViolations(circle.slice(1))).toEqual([]);
});

describe("a library away from home is found", () => {
  const declared = { dependencies: { bullmq: "1", opossum: "1", "@sendgrid/mail": "1", "left-pad": "1" } };
  const bad: readonly [path: string, target: string, want: string][] = [
    ["src/delivery/worker.ts", "bullmq", "imports bullmq, whose home is src/queue"],
    ["src/gate/gate.ts", "opossum", "whose home is src/gate/breaker.ts"],
    ["providers/smtp/index.ts", "@sendgrid/mail/lib/x.js", "imports @sendgrid/mail, whose home is"],
    ["src/queue/pad.ts", "left-pad", "whose home is missing"],
    ["src/queue/pad.ts", "is-odd", "which package.json does not list"],
  ];
  test.each(bad)("%s -> %s", (path, target, want) => {
    const found = libraryViolations(tree([path, target]), declared).find((line) => line.startsWith(path));
    expect(found).toContain(want);
  });

  test("and one that nothing imports", () => {
    const only = { dependencies: { bullmq: "1", opossum: "1" } };
    const used = tree(["src/queue/mail-queue.ts", "bullmq"], ["src/queue/mail-queue.ts", "node:fs"]);
    expect(libraryViolations(used, only)).toEqual(["package.json: opossum is imported nowhere"]);
  });
});

describe("untidiness is found", () => {
  const bad: readonly [rule: string, file: SourceFile, want: RegExp][] = [
    ["a long file", { path: "src/core/x.ts", text: "x;\n".repeat(301) }, /has 301 lines/],
    ["a name in capitals", { path: "src/core/MailQueue.ts", text: "" }, /kebab-case/],
    ["JavaScript", { path: "src/core/x.mjs", text: "" }, /ending in \.ts/],
    ["printing", { path: "src/core/x.ts", text: "console.error(1)" }, /prints by console/],
    ["a note to self", { path: "src/core/x.ts", text: `// ${"TO"}DO: later` }, /note to self/],
  ];
  test.each(bad)("%s", (_rule, file, want) => {
    const violations = hygieneViolations([file]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(want);
  });

  test("and the CLI may print", () => {
    expect(hygieneViolations([{ path: "src/cli/main.ts", text: "console.log(1)" }])).toEqual([]);
  });
});
