import type { SmtpFault, SmtpPoint } from "./fault.ts";
import type { FaultSwitch } from "./fault-switch.ts";

/** A fault that takes the place of an answer. */
export type SmtpStrike = Exclude<SmtpFault, { kind: "refuse" } | { kind: "slow" }>;

type SmtpDelay = Extract<SmtpFault, { kind: "slow" }>;

/** The fault that strikes at a point, or null. `argument`: of RCPT, for faults of some recipients only. */
export function strikeAt(faults: FaultSwitch<SmtpFault>, point: SmtpPoint, argument = ""): SmtpStrike | null {
  return faults.strike((fault): fault is SmtpStrike => {
    if (fault.kind === "refuse" || fault.kind === "slow") return false;
    if (fault.at !== point && fault.at !== "any") return false;
    if (fault.kind !== "reply" || fault.recipient === undefined) return true;
    return new RegExp(fault.recipient, "i").test(/<([^<>]*)>/.exec(argument)?.[1] ?? "");
  });
}

/** How late a reply is; `point` is missing for replies within a command, such as challenges. */
export function replyDelayMs(faults: FaultSwitch<SmtpFault>, point?: SmtpPoint): number {
  return delayMs(faults, (at) => at === undefined || at === point);
}

/** How long the server waits before it goes on where there is no reply: with the handshake, or reading content. */
export function pauseMs(faults: FaultSwitch<SmtpFault>, point: "tls" | "content"): number {
  return delayMs(faults, (at) => at === point);
}

function delayMs(faults: FaultSwitch<SmtpFault>, applies: (at: SmtpPoint | undefined) => boolean): number {
  return faults.strike((fault): fault is SmtpDelay => fault.kind === "slow" && applies(fault.at))?.delayMs ?? 0;
}
