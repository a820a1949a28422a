import type { MessageEvent } from "./endpoint.ts";

/** The body of a webhook: type, instant and data as Standard Webhooks has them. Nothing of the message's content is in it. */
export function bodyOf(event: MessageEvent, occurredAt: number): string {
  const { type, record } = event;
  const last = record.attempts.at(-1);
  return JSON.stringify({
    type,
    timestamp: new Date(occurredAt).toISOString(),
    data: {
      id: record.id,
      messageId: record.messageId,
      jobId: event.jobId,
      status: record.status,
      provider: record.provider,
      remoteId: record.remoteId,
      recipients: record.recipients.map(({ address, status, provider, reason }) => ({
        address,
        status,
        provider,
        reason,
      })),
      reason: record.reason,
      remedy: last?.remedy ?? null,
      attemptCount: record.attemptCount,
      nextAttemptAt: record.nextAttemptAt,
      possibleDuplicate: record.possibleDuplicate,
      tags: event.tags,
      tenant: event.tenant,
      metadata: record.metadata,
    },
  });
}
