import type { LimitSettings } from "../../../src/core/index.ts";

/** What the settings of a kind without limits of its own say about them. */
export const noLimits: LimitSettings = {
  perMinute: null,
  burst: null,
  recipientsPerDay: null,
  messagesPerMonth: null,
  dayResetsAt: null,
  connections: null,
  keepPercent: { otp: 10, transactional: 30 },
};
