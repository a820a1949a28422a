import type { GatewayEvent } from "../../core/index.ts";

/** An event that tells what became of a message. */
export type MessageEvent = Extract<GatewayEvent, { record: unknown }>;

/** An app's endpoint as the configuration has it. */
export type EndpointSettings = {
  readonly url: string;
  /** Keys as `whsec_…`; each signs every request. */
  readonly secret: readonly string[];
  /** The events it is told of. */
  readonly events: readonly MessageEvent["type"][];
  /** Time it may take to answer one request. */
  readonly timeoutMs: number;
};

/** One event on its way to one endpoint. */
export type Delivery = {
  /** The header webhook-id: the same for every endpoint and on every try. */
  readonly eventId: string;
  readonly type: string;
  /** Mailover's id of the message. */
  readonly id: string;
  /** The request's body, byte for byte. */
  readonly body: string;
};

/** What one request came to. `reason` is for people, and holds nothing of the url, the answer or a secret. */
export type PostResult =
  | { readonly kind: "accepted" }
  | { readonly kind: "failed"; readonly reason: string }
  /** The signal stopped it before there was an answer. */
  | { readonly kind: "stopped" };
