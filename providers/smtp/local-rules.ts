import type { Rule } from "../../src/core/index.ts";
import { NO_SMTPUTF8 } from "./wire-envelope.ts";

/** Error code of a message that is larger than the server announced to take. */
export const TOO_LARGE = "EMESSAGESIZE";

/** What the transport itself finds before it writes anything; the same at every server, so not in a provider's table. */
export const localRules: readonly Rule[] = [
  {
    id: "size-announced",
    when: { errorCode: TOO_LARGE },
    cause: "size",
    meaning: "the message is larger than the server's SIZE",
    source: "RFC 1870 section 6.1",
  },
  {
    id: "smtputf8-not-offered",
    when: { errorCode: NO_SMTPUTF8 },
    cause: "content",
    elsewhere: true,
    meaning: "an address has letters outside ASCII before its @, and the server does not offer SMTPUTF8",
    source: "RFC 6531 section 3.4",
  },
];
