import type { MessageLimits } from "./limits.ts";
import type { Report } from "./problem.ts";

/** What the readers of the parts of a message share. */
export type ReadContext = {
  readonly limits: MessageLimits;
  readonly report: Report;
  /** Whether a field, or something inside it, is known to be bad, so that it is not called missing as well. */
  readonly isBad: (field: string) => boolean;
};
