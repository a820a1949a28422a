import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ExpiryWatch } from "../../../../providers/microsoft365/credential-expiry.ts";
import { readCredential } from "../../../../providers/microsoft365/credentials.ts";
import type { CredentialSource } from "../../../../providers/microsoft365/credentials.ts";

const dayMs = 86_400_000;
const file = fileURLToPath(new URL("./files/app.pem", import.meta.url));
const expiresAt = Date.parse("2027-03-01T00:00:00Z");

const secret = (secretExpiresAt?: string): CredentialSource => ({
  field: "clientSecret",
  settings: { clientSecret: "a-secret-value", ...(secretExpiresAt === undefined ? {} : { secretExpiresAt }) },
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What is said within so many days, at most one notice a line. */
async function noticesOf(sources: readonly CredentialSource[], startsAt: number, days: number) {
  vi.setSystemTime(startsAt);
  const notices: { event: string; fields: Record<string, unknown> }[] = [];
  const notice = (event: string, fields: object) => void notices.push({ event, fields: { ...fields } });
  const watch = new ExpiryWatch(sources, { clock: Date.now, notice });
  await vi.advanceTimersByTimeAsync(days * dayMs);
  watch.close();
  expect(vi.getTimerCount()).toBe(0);
  return notices;
}

const daysOf = (notices: readonly { fields: Record<string, unknown> }[]) => notices.map(({ fields }) => fields["days"]);

describe("a secret whose end the settings tell", () => {
  test("is told of from 60 days ahead, once a day, with what to do", async () => {
    const notices = await noticesOf([secret("2027-03-01")], expiresAt - 62.5 * dayMs, 4);
    expect(daysOf(notices)).toEqual([60, 59, 58]);
    expect(notices[0]).toEqual({
      event: "credential.expires",
      fields: {
        credential: "clientSecret",
        days: 60,
        reason: "clientSecret expires at 2027-03-01T00:00:00.000Z",
        remedy: expect.stringContaining(
          "New client secret; put its Value into clientSecret and its end into secretExp",
        ),
      },
    });
    expect(JSON.stringify(notices)).not.toContain("a-secret-value");
  });

  test("is told of at the start, and still after its end", async () => {
    const notices = await noticesOf([secret("2027-03-01T00:00:00Z")], expiresAt - 1.5 * dayMs, 3);
    expect(daysOf(notices)).toEqual([1, 0, 0, 0]);
    expect(notices.at(-1)?.fields["reason"]).toBe("clientSecret expired at 2027-03-01T00:00:00.000Z");
  });

  test("is left alone before, and where nobody tells its end", async () => {
    expect(await noticesOf([secret("2027-03-01")], expiresAt - 90 * dayMs, 20)).toEqual([]);
    expect(await noticesOf([secret()], expiresAt, 20)).toEqual([]);
  });

  test("a zone counts", async () => {
    const reading = await readCredential(secret("2027-03-01T00:00:00+09:00"), 0);
    expect(reading).toMatchObject({ ok: true, expiresAt: expiresAt - 9 * 3_600_000 });
  });
});

test("each of two credentials is named by its own path", async () => {
  const next: CredentialSource = {
    field: "nextCredential.clientSecret",
    settings: { clientSecret: "another", secretExpiresAt: "2027-03-10" },
  };
  const notices = await noticesOf([secret("2027-03-01"), next], expiresAt - dayMs, 0.5);
  expect(notices.map(({ fields }) => fields["credential"])).toEqual(["clientSecret", "nextCredential.clientSecret"]);
  expect(notices[1]?.fields["remedy"]).toContain("nextCredential.secretExpiresAt");
});

describe("a certificate", () => {
  const source: CredentialSource = { field: "certificate", settings: { certificate: { file } } };
  // Its last day, as OpenSSL made it.
  const lastAt = Date.parse("2126-10-31T03:40:01Z");

  async function saidAt(now: number, settings = source.settings) {
    vi.useRealTimers(); // A file is read.
    const notices: object[] = [];
    const notice = (event: string, fields: object) => void notices.push({ event, ...fields });
    const watch = new ExpiryWatch([{ ...source, settings }], { clock: () => now, notice });
    await watch.check();
    watch.close();
    return notices;
  }

  test("tells its end by itself", async () => {
    expect(await saidAt(lastAt - 61 * dayMs)).toEqual([]);
    expect(await saidAt(lastAt - 30 * dayMs)).toContainEqual({
      event: "credential.expires",
      credential: "certificate",
      days: 30,
      reason: "certificate expires at 2126-10-31T03:40:01.000Z",
      remedy: expect.stringContaining("certificate.file"),
    });
  });

  test("that has expired, or cannot be read, is told of where it is used, not here", async () => {
    expect(await saidAt(lastAt + dayMs)).toEqual([]);
    expect(await saidAt(lastAt, { certificate: { file: "/nowhere/app.pem" } })).toEqual([]);
  });
});
