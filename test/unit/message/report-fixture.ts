import type { AttemptRecord, DeliveryRecord, Message, RecipientRecord } from "../../../src/core/index.ts";
import { newRecord } from "../../../src/core/index.ts";
import { composeReport } from "../../../src/message/index.ts";
import type { ReportJob } from "../../../src/message/index.ts";
import { composeData } from "./fixture.ts";

export const reporter = { name: "Mail Delivery", address: "mailer-daemon@contoso.com" };
export const now = new Date("2026-11-24T03:04:05Z");
export const secret = "what the message itself says";

/** A finished message with `dsn`, as it is when it has ended. */
export function rawMessage(
  header = "Subject: Scan\r\n",
  envelope: { from?: string; to: string[] } = { from: "scanner@contoso.com", to: ["taro@example.jp"] },
): Promise<Message> {
  const raw = `From: Scanner <scanner@contoso.com>\r\nTo: taro@example.jp\r\n${header}\r\n${secret}\r\n`;
  const content = Buffer.from(raw).toString("base64");
  return composeData({ raw: { content, encoding: "base64" }, envelope, dsn: true });
}

export function recipient(change: Partial<RecipientRecord> = {}): RecipientRecord {
  return {
    address: "taro@example.jp",
    status: "refused",
    provider: "relay",
    reason: "550 5.1.1 No such user",
    ...change,
  };
}

export function attemptOf(change: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    number: 1,
    provider: "relay",
    startedAt: "2026-11-24T03:00:00.000Z",
    endedAt: "2026-11-24T03:00:01.000Z",
    outcome: "rejected",
    stage: "rcpt",
    cause: "recipient",
    status: "5.1.1",
    reply: "550 5.1.1 No such user",
    remoteId: null,
    remedy: null,
    ...change,
  };
}

export function recordOf(change: Partial<DeliveryRecord> = {}): DeliveryRecord {
  const envelope = { mailFrom: "scanner@contoso.com", rcptTo: ["taro@example.jp"] };
  const before = newRecord({ id: "m1", messageId: "<m1@contoso.com>", recipients: envelope.rcptTo, metadata: {} });
  return {
    ...before,
    status: "bounced",
    recipients: [recipient()],
    attempts: [attemptOf()],
    attemptCount: 1,
    ...change,
  };
}

export function report(original: Message, record: Partial<DeliveryRecord> = {}): ReportJob | null {
  return composeReport({ original, record: recordOf(record), reportingMta: "mail.contoso.com", from: reporter, now });
}

/** The report as it goes out: through the same door and composer as any message. */
export async function reportMime(original: Message, record: Partial<DeliveryRecord> = {}): Promise<Buffer> {
  const job = report(original, record);
  if (job === null) throw new Error("no report is due");
  return (await composeData(JSON.parse(JSON.stringify(job)))).mime;
}
