import { defineProvider } from "../../src/core/index.ts";
import { smtpRules } from "./classify.ts";
import { SmtpProvider } from "./provider.ts";
import { settings } from "./settings.ts";

/** Any SMTP relay: a hosting company's, an office's, or one's own. */
export const smtp = defineProvider({
  kind: "smtp",
  settings,
  secrets: ["password", "accessToken", "dkim.privateKey"],
  rules: smtpRules,
  create: (name, settings) => new SmtpProvider(name, settings),
});
