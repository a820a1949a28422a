/** The words of Mailover: types and pure functions, for code that works with its messages and for providers of others. */
export * from "./cause.ts";
export * from "./clock.ts";
export * from "./event.ts";
export * from "./from-mapping.ts";
export * from "./limits.ts";
export * from "./message.ts";
export * from "./outcome.ts";
export * from "./place.ts";
export * from "./provider.ts";
export * from "./record.ts";
export * from "./reply.ts";
export * from "./rule.ts";
export * from "./stage.ts";
export * from "./status.ts";
