const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** What a mailbox has used of its limits. */
class MailboxUsage {
  /** Connections signed in as it, oldest first. */
  readonly connections: number[] = [];
  /** When each message of the last minute was, or will be, answered. */
  slots: number[] = [];
  /** Recipients of the last day, by message. */
  recipients: { readonly at: number; readonly count: number }[] = [];
  refusalCount = 0;
}

/** Counts, for each mailbox, what Exchange Online limits. Instants are milliseconds since 1970. */
export class ExchangeUsage {
  readonly #mailboxes = new Map<string, MailboxUsage>();

  signIn(mailbox: string, connection: number): void {
    this.#of(mailbox).connections.push(connection);
  }

  signOut(mailbox: string, connection: number): void {
    const { connections } = this.#of(mailbox);
    const index = connections.indexOf(connection);
    if (index !== -1) connections.splice(index, 1);
  }

  /** Place of the connection among those of the mailbox, 1 for the oldest. */
  connectionRank(mailbox: string, connection: number): number {
    return this.#of(mailbox).connections.indexOf(connection) + 1;
  }

  /** When one more message is within the rate: now, or when the message so many before it is a minute old. */
  slotFor(mailbox: string, messagesPerMinute: number, now: number): number {
    const usage = this.#of(mailbox);
    usage.slots = usage.slots.filter((at) => at > now - MINUTE_MS);
    const before = usage.slots.at(-messagesPerMinute);
    return before === undefined ? now : Math.max(now, before + MINUTE_MS);
  }

  takeSlot(mailbox: string, at: number): void {
    this.#of(mailbox).slots.push(at);
  }

  recipientCount(mailbox: string, now: number): number {
    const usage = this.#of(mailbox);
    usage.recipients = usage.recipients.filter(({ at }) => at > now - DAY_MS);
    return usage.recipients.reduce((sum, { count }) => sum + count, 0);
  }

  takeRecipients(mailbox: string, count: number, now: number): void {
    this.#of(mailbox).recipients.push({ at: now, count });
  }

  /** Refusals in a row. */
  refusalCount(mailbox: string): number {
    return this.#of(mailbox).refusalCount;
  }

  noteRefusal(mailbox: string): void {
    this.#of(mailbox).refusalCount += 1;
  }

  noteSuccess(mailbox: string): void {
    this.#of(mailbox).refusalCount = 0;
  }

  /** Forgets everything but the connections, which are still there. */
  clear(): void {
    for (const usage of this.#mailboxes.values()) {
      usage.slots = [];
      usage.recipients = [];
      usage.refusalCount = 0;
    }
  }

  #of(mailbox: string): MailboxUsage {
    const known = this.#mailboxes.get(mailbox);
    if (known !== undefined) return known;
    const fresh = new MailboxUsage();
    this.#mailboxes.set(mailbox, fresh);
    return fresh;
  }
}
