/** The argument of MAIL or RCPT: an address in its angle brackets and the parameters after it (RFC 5321 4.1.2). */
export type SmtpPath = { readonly address: string; readonly parameters: ReadonlyMap<string, string> };

/** Which extension a parameter belongs to; a parameter whose extension was not offered is refused. */
const EXTENSION_OF: Readonly<Record<string, string>> = {
  SIZE: "SIZE",
  BODY: "8BITMIME",
  SMTPUTF8: "SMTPUTF8",
  AUTH: "AUTH",
  RET: "DSN",
  ENVID: "DSN",
  NOTIFY: "DSN",
  ORCPT: "DSN",
};

/** Reads `FROM:<a@b> SIZE=1` or `TO:<a@b>`, or answers with the reply that refuses it. */
export function parsePath(argument: string, prefix: "FROM" | "TO", extensions: readonly string[]): SmtpPath | string {
  const match = new RegExp(`^${prefix}:\\s?<([^<>]*)>(?:\\s+(.*))?$`, "i").exec(argument);
  if (match === null) return `501 5.5.4 Syntax: ${prefix === "FROM" ? "MAIL" : "RCPT"} ${prefix}:<address>`;
  const address = match[1] ?? "";
  const parameters = new Map<string, string>();
  for (const parameter of (match[2] ?? "").split(/\s+/).filter((word) => word !== "")) {
    const [name = "", value = ""] = parameter.split(/=(.*)/s);
    const keyword = EXTENSION_OF[name.toUpperCase()];
    if (keyword === undefined || !extensions.some((line) => line.toUpperCase().split(" ")[0] === keyword)) {
      return `555 5.5.4 Unsupported option: ${name}`;
    }
    parameters.set(name.toUpperCase(), value);
  }
  // Only printable ASCII without the SMTPUTF8 extension (RFC 6531 3.4); RCPT takes it over from its MAIL.
  if (prefix === "FROM" && /[^\u0020-\u007e]/.test(address) && !parameters.has("SMTPUTF8")) {
    return "553 5.6.7 Non-ASCII addresses need SMTPUTF8";
  }
  if (address === "" && prefix === "TO") return "501 5.1.3 Bad recipient address syntax";
  if (address !== "" && !/^[^@\s]+@[^@\s]+$/.test(address)) {
    return prefix === "FROM" ? "501 5.1.7 Bad sender address syntax" : "501 5.1.3 Bad recipient address syntax";
  }
  return { address, parameters };
}
