import { defineProvider } from "../../src/core/index.ts";
import { sendgridRules } from "./classify.ts";
import { SendGridProvider } from "./provider.ts";
import { settings } from "./settings.ts";

/** Twilio SendGrid by its v3 API. */
export const sendgrid = defineProvider({
  kind: "sendgrid",
  settings,
  secrets: ["apiKey"],
  rules: sendgridRules,
  create: (name, settings, context) => new SendGridProvider(name, settings, context),
});
