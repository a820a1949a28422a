import type { Rule } from "../../src/core/index.ts";
import { entraAnswerRules } from "./rules/entra-answers.ts";
import { entraNumberRules } from "./rules/entra-numbers.ts";

/**
 * What the token endpoint of Entra ID answers. Numbers (AADSTS) come first, then OAuth's own error and the HTTP status:
 * one and the same `invalid_client` or 400 stands for an expired secret and for a service that is down. Errors without an
 * answer are those of the network, which stand at the end of the provider's rules.
 */
export const entraRules: readonly Rule[] = [...entraNumberRules, ...entraAnswerRules];
