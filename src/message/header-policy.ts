/** What Mailover does with a header field that an app names in `headers`. */
export type HeaderPolicy = {
  /** Field names in lower case; a `*` at the end stands for anything. */
  readonly names: readonly string[];
  readonly policy: "refused" | "identity" | "message-ids" | "mailbox";
  /** One phrase for people. For `refused` it completes "cannot be set: ". */
  readonly why: string;
};

/** First match wins; a field that no row names is taken as it is, any number of times. */
export const HEADER_POLICIES: readonly HeaderPolicy[] = [
  { names: ["from", "to", "cc", "bcc", "reply-to"], policy: "refused", why: "use the field of that name" },
  { names: ["subject"], policy: "refused", why: "use the field of that name" },
  { names: ["date"], policy: "refused", why: "it is sendAt, or the time the message was handed in" },
  { names: ["x-mailover-*"], policy: "refused", why: "these are Mailover's own" },
  { names: ["content-*", "mime-version"], policy: "refused", why: "these follow from the content" },
  {
    names: ["received", "return-path", "delivered-to", "authentication-results", "received-spf", "arc-*", "resent-*"],
    policy: "refused",
    why: "mail servers write these",
  },
  { names: ["dkim-signature"], policy: "refused", why: "it is made over the finished message: use raw" },
  { names: ["x-smtpapi"], policy: "refused", why: "it would change the recipients at one provider only" },
  { names: ["message-id"], policy: "identity", why: "taken as the Message-ID of every attempt; at most once" },
  { names: ["in-reply-to", "references"], policy: "message-ids", why: "one or more `<left@right>`; at most once" },
  { names: ["sender"], policy: "mailbox", why: "one mailbox; at most once" },
];

export function headerPolicy(name: string): HeaderPolicy | undefined {
  const lower = name.toLowerCase();
  return HEADER_POLICIES.find(({ names }) =>
    names.some((pattern) => (pattern.endsWith("*") ? lower.startsWith(pattern.slice(0, -1)) : lower === pattern)),
  );
}

/** The table of `docs/message.md`. */
export function renderHeaderPolicies(): string {
  const title = (name: string) => `\`${name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())}\``;
  const rows = HEADER_POLICIES.map(
    ({ names, policy, why }) =>
      `| ${names.map(title).join(", ")} | ${policy === "refused" ? "refused" : "taken"} | ${why} |`,
  );
  return ["| header | | |", "|---|---|---|", ...rows, "| any other | taken | any number of times |"].join("\n");
}
