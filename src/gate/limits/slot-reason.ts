import type { LimitSettings } from "../../core/index.ts";
import type { LimitCause, SlotRequest } from "./limiter.ts";

/** Why a message has to wait, in words and without addresses. `limit`: as it holds now; `open`: what is open to its class. */
export function slotReason(
  cause: LimitCause,
  request: SlotRequest,
  { limit, open, settings }: { readonly limit: number; readonly open: number; readonly settings: LimitSettings },
): string {
  const share = open < limit ? ` open to ${request.class}, of ${limit},` : "";
  switch (cause) {
    case "rate": {
      const lowered = settings.perMinute !== null && limit < settings.perMinute;
      const why = lowered ? ` (of ${settings.perMinute}: the provider found us too fast)` : "";
      return `${open} ${plural("message", open)} a minute${share}${share === "" && why === "" ? "" : why} are used up`;
    }
    case "recipients":
      if (request.recipientCount > open) {
        return `its ${request.recipientCount} recipients are more than the ${open} a day${share} that there are`;
      }
      return `${open} ${plural("recipient", open)} a day${share} are used up`;
    case "month":
      return `${open} ${plural("message", open)} a month${share} are used up`;
    case "connections":
      return limit === 1 ? "the one connection is in use" : `all ${limit} connections are in use`;
    case "store":
      return "Redis does not answer, so nobody knows what is used up";
  }
}

function plural(word: string, count: number): string {
  return count === 1 ? word : `${word}s`;
}
