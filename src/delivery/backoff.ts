import type { MessageClass, Random } from "../core/index.ts";

export type BackoffSettings = {
  /** Delay after the first, second, … round that failed; the last one repeats. */
  readonly delaysMs: readonly number[];
  /** The same for one-time passwords, which are worthless soon. */
  readonly otpDelaysMs: readonly number[];
  /** Up to so many percent longer or shorter. */
  readonly jitterPercent: number;
};

/** How long a message waits for its next round. `deferralCount` is how many rounds have failed before this one. */
export function backoffMs(
  settings: BackoffSettings,
  messageClass: MessageClass,
  deferralCount: number,
  random: Random,
): number {
  const delays = messageClass === "otp" ? settings.otpDelaysMs : settings.delaysMs;
  const delay = delays[Math.min(deferralCount, delays.length - 1)] ?? 60_000;
  return Math.round(delay * (1 + ((random() * 2 - 1) * settings.jitterPercent) / 100));
}
