/** Where a setting stands: keys from the root, and indexes of lists as digits. */
export type Path = readonly string[];

/** A group of settings, as read from YAML or JSON: untrusted until the schema has seen it. */
export type Tree = Readonly<Record<string, unknown>>;

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What stands at a path; undefined where nothing does. */
export function valueAt(tree: unknown, path: Path): unknown {
  let value = tree;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Tree)[key];
  }
  return value;
}

/** A tree that holds one value, at this path. */
export function treeWith(path: Path, value: unknown): Tree {
  return path.toReversed().reduce<unknown>((inner, key) => ({ [key]: inner }), value) as Tree;
}

/** The path as people write it: `retry.delaysMs[2]`, `providers.sendgrid.from["contoso.com"]`. */
export function formatPath(path: Path): string {
  return path
    .map((key, index) => {
      if (/^\d+$/.test(key) && index > 0) return `[${key}]`;
      if (!/^[\w-]+$/.test(key)) return `[${JSON.stringify(key)}]`;
      return index === 0 ? key : `.${key}`;
    })
    .join("");
}

/** Every value that is no group, with its path. A list is one value, as in merging: a later list replaces an earlier. */
export function leavesOf(tree: Tree): readonly { readonly path: Path; readonly value: unknown }[] {
  return Object.entries(tree).flatMap(([key, value]) =>
    isTree(value)
      ? leavesOf(value).map((leaf) => ({ path: [key, ...leaf.path], value: leaf.value }))
      : [{ path: [key], value }],
  );
}

/** A copy without the settings that are null: a later file takes a setting, or a provider, out again with null. */
export function withoutNulls(tree: Tree): Tree {
  return Object.fromEntries(
    Object.entries(tree)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [key, isTree(value) ? withoutNulls(value) : value]),
  );
}

/** Freezes a value and all that is in it, in place. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value) && !ArrayBuffer.isView(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
