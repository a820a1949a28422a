import type { JsonExchange } from "./network-client.ts";

/** Page with the lines to type. */
const help = 'providers/microsoft365/README.md, "When an answer is lost"';

/**
 * Why Graph gave no list of messages, with what to do about it. Of its answer only the code is told: texts of errors may
 * hold parts of a request.
 */
export function graphTrouble(exchange: JsonExchange | null, mailbox: string): string {
  if (exchange === null) return "Microsoft Graph was not asked";
  if (exchange.kind === "failed") return `Microsoft Graph at ${exchange.host}: ${exchange.text}`;
  const { httpStatus, headers } = exchange;
  const code = codeOf(exchange.json);
  const answer = `Microsoft Graph answered HTTP ${httpStatus}${code === null ? "" : ` ${code}`}`;
  const remedy = remedyFor(httpStatus, headers["retry-after"], mailbox);
  return remedy === null ? answer : `${answer}. ${remedy}`;
}

function remedyFor(httpStatus: number, retryAfter: string | undefined, mailbox: string): string | null {
  switch (httpStatus) {
    case 200:
      return "It is no list of messages: correct graph.url, or look for a proxy on the way.";
    case 401:
      return "It does not take the app's token: graph.url and graph.scope must belong to the same cloud.";
    case 403:
      return `The app may not read ${mailbox}: New-ManagementRoleAssignment -App <object ID of the Enterprise application> -Role "Application Mail.ReadBasic" -CustomResourceScope Mailover (${help}). It takes up to two hours to count.`;
    case 404:
      return `It knows no mailbox ${mailbox}: give its user principal name as mailbox, and see that it is in Exchange Online.`;
    case 429:
      return `It asks for ${retryAfter === undefined ? "fewer questions" : `a pause of ${retryAfter.slice(0, 40)} s`}; the message is asked after again later.`;
    default:
      return null;
  }
}

/** Graph's error code, such as ErrorAccessDenied. */
function codeOf(json: object | null): string | null {
  const { error } = (json ?? {}) as { error?: unknown };
  const { code } = (typeof error === "object" && error !== null ? error : {}) as { code?: unknown };
  return typeof code === "string" && /^[\w.-]{1,80}$/.test(code) ? code : null;
}
