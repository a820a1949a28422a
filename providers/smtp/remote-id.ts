/** How servers name the id they gave a message, in the reply to its end. First match wins. */
const FORMS: readonly RegExp[] = [
  // Postfix, SendGrid, Haraka: "250 2.0.0 Ok: queued as 4XyZ12abc"
  /\bqueued as ([A-Za-z0-9._-]+)/i,
  // Exchange: "250 2.6.0 <id@host> [InternalId=123, Hostname=x] 1234 bytes … Queued mail for delivery"
  /^250 2\.\d\.\d (?:OK )?(<[^<>\s]+>) \[/i,
  // Exim: "250 OK id=1tABCD-000000001ab-2xyz"
  /^250 (?:2\.\d\.\d )?OK id=([A-Za-z0-9-]+)/i,
  // Gmail: "250 2.0.0 OK  1766666666 d9443c01a7336-2a0b3c4d5e6sm123.45 - gsmtp"
  /^250 2\.0\.0 OK\s+\d+ (\S+) - gsmtp/i,
  // Sendmail: "250 2.0.0 4B1CDE23000123 Message accepted for delivery"
  /^250 2\.0\.0 ([A-Za-z0-9]+) Message accepted for delivery/i,
  // Amazon SES: "250 Ok 0100018b5c3c0a4f-7f3b8c1d-…-000000"
  /^250 Ok ([0-9a-f]+(?:-[0-9a-f]+)+)$/i,
  // qmail: "250 ok 1766666666 qp 12345"
  /^250 ok (\d+ qp \d+)/i,
];

/** The id by which the server can find the message again, or null where its reply names none that is known. */
export function remoteIdOf(reply: string): string | null {
  const text = reply.trim().split(/\r?\n/).at(-1) ?? "";
  for (const form of FORMS) {
    const id = form.exec(text)?.[1];
    if (id !== undefined) return id;
  }
  return null;
}
