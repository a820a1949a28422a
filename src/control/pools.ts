/** Names that stand for several providers, such as the mailboxes of one kind. As the configuration of this process has it. */
export type Pools = Readonly<Record<string, readonly string[]>>;

/** The providers that a name stands for: those of a pool, else the one of this name. */
export function membersOf(name: string, pools: Pools): readonly string[] {
  return (Object.hasOwn(pools, name) ? pools[name] : undefined) ?? [name];
}

/** All that a change may name: pools, and providers. */
export function namesOf(providers: readonly string[], pools: Pools): readonly string[] {
  return [...Object.keys(pools), ...providers];
}

/** The pools that a provider is in, then itself: what is said of it last goes over what is said of its pool. */
export function namesFor(provider: string, pools: Pools): readonly string[] {
  return [...Object.keys(pools).filter((name) => membersOf(name, pools).includes(provider)), provider];
}
