/**
 * An error of ioredis in one sentence. Only its message and code are read: the objects carry the command with its
 * arguments, among them passwords and mail.
 */
export function describeError(error: unknown, secrets: readonly string[] = []): string {
  const text = secrets.reduce((redacted, secret) => redacted.replaceAll(secret, "***"), messageOf(error));
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
  if (text === "") return code ?? "unknown error";
  return code === null || text.includes(code) ? text : `${text} (${code})`;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  // An empty AggregateError stands for one failure per address of a name.
  if (error.message === "" && error instanceof AggregateError) return error.errors.map(messageOf).join("; ");
  // "Failed to refresh slots cache." of a Cluster hides its cause here.
  if ("lastNodeError" in error && error.lastNodeError instanceof Error) {
    return `${error.message} ${messageOf(error.lastNodeError)}`;
  }
  return error.message;
}
