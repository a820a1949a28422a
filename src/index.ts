/** The typed client of Mailover: push messages, follow them, and the types of what comes back. */
export { MailoverClient, MessageRefusedError } from "./client.ts";
export type { ClientOptions } from "./client.ts";
export type { MessageInput, MessageLimits } from "./message/index.ts";
export type { Answer, Wish } from "./operations/messages.ts";
export type { Ending, Following } from "./queue/follower.ts";
export type {
  AttemptRecord,
  Cause,
  DeliveryRecord,
  MessageClass,
  MessageStatus,
  RecipientRecord,
  Stage,
} from "./core/index.ts";
