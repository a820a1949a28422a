/** A command line: its verb in upper case and what comes after it. */
export type SmtpCommand = { readonly verb: string; readonly argument: string };

const VERBS = new Set("EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY EXPN HELP".split(" "));

export function parseCommand(line: string): SmtpCommand {
  const [verb = "", argument = ""] = line.split(/ (.*)/s);
  return { verb: verb.toUpperCase(), argument };
}

/** The line without what may be secret: the argument of AUTH, and anything that is no command. */
export function withoutSecret(line: string): string {
  const { verb, argument } = parseCommand(line);
  if (!VERBS.has(verb)) return "<no command>";
  if (verb !== "AUTH") return line;
  const [mechanism = "", secret] = argument.trim().split(/\s+/);
  return `AUTH ${mechanism}${secret === undefined ? "" : " ***"}`;
}
