import * as z from "zod";
import type { ProviderDefinition } from "../core/index.ts";
import { coreSchema } from "./schema.ts";
import { webhookSchema } from "./schema-webhooks.ts";
import type { Path } from "./tree.ts";

/** The types of JSON that a setting may have. */
export type SettingType = "string" | "number" | "integer" | "boolean" | "array" | "object" | "null";

/** One setting as its schema describes it. */
export type Setting = {
  readonly path: Path;
  readonly types: readonly SettingType[];
  /** As one would write it; undefined where there is none. */
  readonly default: unknown;
  readonly required: boolean;
  /** For people; empty where the schema says nothing. */
  readonly description: string;
  /** Least and greatest number, and the words to choose from, where the schema limits them. */
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly choices: readonly string[];
};

/** The parts of a JSON Schema that are read here. */
type Node = {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly allOf?: readonly Node[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly not?: unknown;
};

/** The core's settings, in the order of the schema. */
export function coreSettings(): readonly Setting[] {
  return settingsIn(toNode(coreSchema), [], true);
}

/** The settings of a kind of provider, below the provider's name. Empty where its schema is not zod's: nothing is known. */
export function providerSettings({ settings, pool }: ProviderDefinition): readonly Setting[] {
  const schema: unknown = settings;
  const known = schema instanceof z.ZodType ? settingsIn(toNode(schema), [], true) : [];
  return known.flatMap((setting) =>
    pool !== undefined && setting.path.join(".") === pool.each ? [setting, listOf(setting, pool.list)] : [setting],
  );
}

/** The list that may stand in the place of a setting: it makes a pool. */
function listOf(setting: Setting, name: string): Setting {
  return { ...setting, path: [name], types: ["array"], required: false, choices: [], minimum: null, maximum: null };
}

/** The settings of a webhook endpoint, below the endpoint's name. */
export function webhookSettings(): readonly Setting[] {
  return settingsIn(toNode(webhookSchema), [], true);
}

function toNode(schema: z.ZodType): Node {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Node;
}

function settingsIn(node: Node, path: Path, required: boolean): readonly Setting[] {
  if (node.not !== undefined) return [];
  const groups = groupsOf(node);
  if (groups !== null) {
    return groups.flatMap((group) =>
      Object.entries(group.properties ?? {}).flatMap(([key, child]) =>
        settingsIn(child, [...path, key], required && (group.required ?? []).includes(key)),
      ),
    );
  }
  const alternatives = node.anyOf ?? node.oneOf ?? [node];
  return [
    {
      path,
      types: [...new Set(alternatives.flatMap(typesOf))],
      default: node.default,
      required: required && node.default === undefined,
      description: node.description ?? "",
      minimum: limit(node.exclusiveMinimum === 0 && node.type === "integer" ? 1 : node.minimum),
      maximum: limit(node.maximum),
      choices: alternatives.flatMap((alternative) => alternative.enum ?? []).filter((word) => typeof word === "string"),
    },
  ];
}

/** The groups of named settings that a node stands for (several where it offers a choice of groups), or null: a value. */
function groupsOf(node: Node): readonly Node[] | null {
  if (node.properties !== undefined) return [node];
  const parts = node.allOf ?? node.anyOf ?? node.oneOf;
  if (parts === undefined) return null;
  const groups = parts.map(groupsOf);
  return groups.every((group) => group !== null) ? groups.flat() : null;
}

function typesOf({ type, enum: words, const: word }: Node): SettingType[] {
  const named = type ?? [...(words ?? []), ...(word === undefined ? [] : [word])].map((value) => typeof value);
  return [named].flat() as SettingType[];
}

/** zod writes the bounds of safe integers where a schema has none of its own. */
function limit(bound: number | undefined): number | null {
  return bound === undefined || Math.abs(bound) === Number.MAX_SAFE_INTEGER ? null : bound;
}
