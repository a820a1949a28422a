/** The message: from what an app writes to the MIME that providers are given. */
export { compose } from "./compose.ts";
export type { Composition } from "./compose.ts";
export { renderHeaderPolicies } from "./header-policy.ts";
export { messageId, messageIdentity } from "./identity.ts";
export type { MessageIdentity, Origin } from "./identity.ts";
export { renderMessageFields, renderMessageSchema } from "./json-schema.ts";
export { defaultLimits } from "./limits.ts";
export type { MessageLimits } from "./limits.ts";
export { parseSubmission } from "./parse.ts";
export type { ParsedSubmission } from "./parse.ts";
export { formatProblems } from "./problem.ts";
export type { Problem } from "./problem.ts";
export { composeReport } from "./report.ts";
export type { ReportJob, ReportRequest } from "./report.ts";
export type { ReportedMessage } from "./report-original.ts";
export type { MessageInput } from "./schema.ts";
