import { Webhook } from "standardwebhooks";
import type { Clock } from "../../core/index.ts";
import type { Delivery, EndpointSettings, PostResult } from "./endpoint.ts";

/** Makes one signed request, and says what came of it. Follows no redirect and retries nothing. */
export async function post(
  endpoint: EndpointSettings,
  { eventId, body }: Delivery,
  { signal, clock }: { readonly signal: AbortSignal; readonly clock: Clock },
): Promise<PostResult> {
  const limit = AbortSignal.timeout(endpoint.timeoutMs);
  try {
    const response = await fetch(endpoint.url, {
      method: "POST",
      body,
      headers: {
        "content-type": "application/json",
        "user-agent": "Mailover-Webhooks",
        ...signatureHeaders(endpoint.secret, eventId, body, new Date(clock())),
      },
      redirect: "manual",
      signal: AbortSignal.any([signal, limit]),
    });
    await response.body?.cancel().catch(() => undefined);
    return response.ok ? { kind: "accepted" } : { kind: "failed", reason: refusal(response.status) };
  } catch (error) {
    if (signal.aborted) return { kind: "stopped" };
    if (limit.aborted) return { kind: "failed", reason: `no answer within ${endpoint.timeoutMs} ms` };
    return { kind: "failed", reason: `cannot be reached: ${connectionError(error)}` };
  }
}

/** The instant is that of this request, not of the event: receivers refuse old ones, as a replay of somebody else's. */
function signatureHeaders(
  keys: readonly string[],
  eventId: string,
  body: string,
  sentAt: Date,
): Readonly<Record<string, string>> {
  return {
    "webhook-id": eventId,
    "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1000)),
    "webhook-signature": keys.map((key) => new Webhook(key).sign(eventId, sentAt, body)).join(" "),
  };
}

function refusal(status: number): string {
  if (status === 410) return "answered 410: it is gone; take it out of the configuration";
  if (status >= 300 && status < 400) return `answered ${status}: redirects are not followed; set its new url`;
  return `answered ${status}`;
}

/** fetch wraps what went wrong: the cause has the code of Node, such as ECONNREFUSED or CERT_HAS_EXPIRED. */
function connectionError(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return typeof code === "string" ? code : cause instanceof Error ? cause.message : "the request failed";
}
