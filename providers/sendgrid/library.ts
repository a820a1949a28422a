import sharedClient from "@sendgrid/client";
import sharedMail from "@sendgrid/mail";

/**
 * The classes of SendGrid's libraries. Their type declarations mix `export =` with named exports, which TypeScript lets
 * nobody import; both hang on the shared instances, which are not used: they hold one key and one host a process.
 */
export const { Client } = sharedClient as unknown as { readonly Client: new () => typeof sharedClient };
export const { MailService } = sharedMail as unknown as { readonly MailService: new () => typeof sharedMail };

export type ClientRequest = Parameters<typeof sharedClient.request>[0];
export type ClientResult = Awaited<ReturnType<typeof sharedClient.request>>;
export type MailData = Parameters<typeof sharedMail.send>[0];
