import type { Rule } from "../../src/core/index.ts";
import { networkRules } from "../network-rules.ts";
import { hosterRules } from "./rules/hosters.ts";
import { serviceRules } from "./rules/services.ts";
import { standardRules } from "./rules/standard.ts";
import { wordRules } from "./rules/words.ts";

/**
 * What replies of SMTP servers mean. A provider's own words come first, then words that many share, then the codes by
 * stage, and last the errors where no reply came: the same code has different causes, and the same cause different codes.
 */
export const smtpRules: readonly Rule[] = [
  ...serviceRules,
  ...hosterRules,
  ...wordRules,
  ...standardRules,
  ...networkRules,
];
