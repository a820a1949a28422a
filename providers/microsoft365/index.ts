import { defineProvider } from "../../src/core/index.ts";
import { Microsoft365Provider, rules } from "./provider.ts";
import { settings } from "./settings.ts";

/** Exchange Online by SMTP client submission with OAuth 2.0. */
export const microsoft365 = defineProvider({
  kind: "microsoft365",
  settings,
  secrets: [
    "clientSecret",
    "certificate.password",
    "nextCredential.clientSecret",
    "nextCredential.certificate.password",
    "sharedTokenKey",
  ],
  // Exchange Online limits each mailbox: many of them carry many times as much.
  pool: { each: "mailbox", list: "mailboxes" },
  rules,
  create: (name, settings, context) => new Microsoft365Provider(name, settings, context),
});
