/** What Mailover does with a header field that an app names in `headers`. */
export type HeaderPolicy = {
  /** Field names, in any case; a `*` at the end stands for anything. */
  readonly names: readonly string[];
  readonly policy: "refused" | "identity" | "message-ids" | "mailbox";
  /** One phrase for people. For `refused` it completes "cannot be set: ". */
  readonly why: string;
};

/** First match wins; a field that no row names is taken as it is, any number of times. */
const HEADER_POLICIES: readonly HeaderPolicy[] = [
  { names: ["From", "To", "Cc", "Bcc", "Reply-To"], policy: "refused", why: "use the field of that name" },
  { names: ["Subject"], policy: "refused", why: "use the field of that name" },
  { names: ["Date"], policy: "refused", why: "it is sendAt, or the time the message was handed in" },
  { names: ["X-Mailover-*"], policy: "refused", why: "these are Mailover's own" },
  { names: ["Content-*", "MIME-Version"], policy: "refused", why: "these follow from the content" },
  {
    names: ["Received", "Return-Path", "Delivered-To", "Authentication-Results", "Received-SPF", "ARC-*", "Resent-*"],
    policy: "refused",
    why: "mail servers write these",
  },
  { names: ["DKIM-Signature"], policy: "refused", why: "it is made over the finished message: use raw" },
  { names: ["X-SMTPAPI"], policy: "refused", why: "it would change the recipients at one provider only" },
  { names: ["Message-ID"], policy: "identity", why: "it becomes the Message-ID of every attempt; at most once" },
  { names: ["In-Reply-To", "References"], policy: "message-ids", why: "one or more `<left@right>`; at most once" },
  { names: ["Sender"], policy: "mailbox", why: "one mailbox; at most once" },
];

export function headerPolicy(name: string): HeaderPolicy | undefined {
  return HEADER_POLICIES.find(({ names }) =>
    names.some((pattern) => covers(pattern.toLowerCase(), name.toLowerCase())),
  );
}

function covers(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** The table of `docs/message.md`. */
export function renderHeaderPolicies(): string {
  const rows = HEADER_POLICIES.map(
    ({ names, policy, why }) =>
      `| ${names.map((name) => `\`${name}\``).join(", ")} | ${policy === "refused" ? "refused" : "taken"} | ${why} |`,
  );
  return ["| header | | |", "|---|---|---|", ...rows, "| any other | taken | any number of times |"].join("\n");
}
