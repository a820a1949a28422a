import type { Rule } from "../../src/core/index.ts";
import { smtpRules } from "../smtp/classify.ts";
import { accessRules } from "./rules/access.ts";
import { limitRules } from "./rules/limits.ts";
import { refusalRules } from "./rules/refusals.ts";

/** What only Exchange Online says, or means otherwise than the rest of the world. */
export const exchangeRules: readonly Rule[] = [...accessRules, ...limitRules, ...refusalRules];

/**
 * What replies of smtp.office365.com mean. Blocks and quotas come before senders, since their texts name the error behind
 * them; a suffix such as `[TYAPR01CA0229.jpnprd01.prod.outlook.com 2026-08-28T…Z …]` is of no account.
 */
export const microsoft365Rules: readonly Rule[] = [...exchangeRules, ...smtpRules];
