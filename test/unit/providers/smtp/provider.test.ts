import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Provider } from "../../../../src/core/index.ts";
import { createAuthority } from "../../../../src/lab/certificate.ts";
import { startRelay } from "../../../../src/lab/index.ts";
import type { RelayOptions, RelayServer } from "../../../../src/lab/index.ts";
import { smtp } from "../../../../providers/smtp/index.ts";
import { settings } from "../../../../providers/smtp/settings.ts";
import { dkimHolds } from "./dkim-verifier.ts";
import { closing, connectionsOf } from "./servers.ts";
import { MIME, largeMime, message, watching } from "./support.ts";

const pair = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mailover-smtp-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function setUp(
  own: object,
  relayOptions: RelayOptions = {},
): Promise<{ relay: RelayServer; provider: Provider }> {
  const relay = closing(await startRelay(relayOptions));
  const parsed = settings.parse({ kind: "smtp", host: relay.host, port: relay.port, tls: "none", ...own });
  const provider = closing(smtp.create("relay", parsed, { clock: Date.now, notice: () => {} }));
  return { relay, provider };
}

const transmission = { message: message(), recipients: ["ann@example.test"] };

describe("a provider of kind smtp", () => {
  test("says what it can do, and declines nothing", async () => {
    const { provider } = await setUp({ connections: 4, maxMessageBytes: 1_000_000, maxRecipients: 50 });
    expect([provider.name, provider.kind]).toEqual(["relay", "smtp"]);
    expect(provider.capabilities).toEqual({
      maxMessageBytes: 1_000_000,
      maxRecipients: 50,
      maxConnections: 4,
      idleConnectionMs: 30_000,
      raw: true,
    });
    expect(provider.declines(message())).toBeNull();
  });

  test("sends, verifies and leaves no connection", async () => {
    const { relay, provider } = await setUp(
      { auth: "login", user: "app", password: "secret" },
      { users: { app: "secret" } },
    );
    expect(await provider.send(transmission, watching())).toMatchObject({ kind: "relayed" });
    expect(await provider.verify(watching())).toMatchObject({ ok: true });
    expect(relay.accepted[0]).toMatchObject({ user: "app", content: MIME });
    await provider.close();
    await connectionsOf(relay, 0);
  });

  const logins: readonly [rule: string, own: object, user: string | null][] = [
    ["signs in as nobody without a user", {}, null],
    ["signs in as nobody where it is told so", { auth: "none", user: "app", password: "secret" }, null],
    ["signs in by password where it has one", { user: "app", password: "secret" }, "app"],
    ["signs in by token where it has only that", { user: "box@a.test", accessToken: "t" }, "box@a.test"],
    ["signs in by token where it is told so", { auth: "xoauth2", user: "box@a.test", accessToken: "t" }, "box@a.test"],
  ];
  test.each(logins)("%s", async (_rule, own, user) => {
    const open = user === null ? {} : { users: { app: "secret" }, tokens: { "box@a.test": "t" } };
    const { relay, provider } = await setUp(own, open);
    await provider.send(transmission, watching());
    expect(relay.accepted[0]!.user).toBe(user);
  });

  test("takes a certificate authority as text or as a file", async () => {
    const authority = await createAuthority();
    const file = join(folder, "ca.pem");
    await writeFile(file, authority.ca);
    for (const ca of [authority.ca, file]) {
      const { provider } = await setUp({ tls: "required", ca }, { tls: "starttls", authority });
      expect(await provider.send(transmission, watching())).toMatchObject({ kind: "relayed" });
    }
  });

  test("maps From in the message and the envelope", async () => {
    const { relay, provider } = await setUp({ from: { "Contoso.TEST": "mail@send.contoso.test" } });
    await provider.send(transmission, watching());
    const accepted = relay.accepted[0]!;
    expect(accepted.mailFrom).toBe("mail@send.contoso.test");
    expect(accepted.content.toString()).toContain(
      "From: App <mail@send.contoso.test>\r\nReply-To: App <app@contoso.test>",
    );
  });
});

describe("DKIM", () => {
  const key = { domainName: "contoso.test", keySelector: "s1" };

  test.each([
    ["text", MIME],
    [
      "dots and no line end at the end",
      Buffer.from("From: app@contoso.test\r\nSubject: a\r\n  b\r\n\r\n.x \t y\r\n\r\nend"),
    ],
    ["8 bits", Buffer.from("From: app@contoso.test\r\n\r\nGrüße\r\n")],
    ["10 MB", largeMime(10_000_000)],
  ])("signs %s, and the server gets what was signed", async (_what, mime) => {
    const { relay, provider } = await setUp(
      { dkim: { ...key, privateKey: pair.privateKey } },
      { maxMessageBytes: 20_000_000 },
    );
    await provider.send({ message: message(mime), recipients: ["ann@example.test"] }, watching());
    const { content } = relay.accepted[0]!;
    expect(content.toString("latin1", 0, 200)).toMatch(
      /^DKIM-Signature: v=1; a=rsa-sha256;[\s\S]* d=contoso\.test;[\s\S]* s=s1;/,
    );
    expect(dkimHolds(content, pair.publicKey)).toBe(true);
    expect(content.subarray(content.indexOf("From:")).subarray(0, mime.length).equals(mime)).toBe(true);
    const broken = Buffer.from(content);
    broken.write("X", broken.indexOf("app@"));
    expect(dkimHolds(broken, pair.publicKey)).toBe(false);
  });

  test("signs the mapped From, with a key from a file", async () => {
    const privateKeyFile = join(folder, "dkim.pem");
    await writeFile(privateKeyFile, pair.privateKey);
    const { relay, provider } = await setUp({ dkim: { ...key, privateKeyFile }, from: { "*": "mail@contoso.test" } });
    await provider.send(transmission, watching());
    const { content } = relay.accepted[0]!;
    expect(content.toString()).toContain("\r\nFrom: App <mail@contoso.test>\r\n");
    expect(dkimHolds(content, pair.publicKey)).toBe(true);
  });

  test("does not begin with a file that holds no key, or is not there", async () => {
    const privateKeyFile = join(folder, "no-key.pem");
    await writeFile(privateKeyFile, "nothing");
    await expect(setUp({ dkim: { ...key, privateKeyFile } })).rejects.toThrow(/holds no PEM/);
    await expect(setUp({ dkim: { ...key, privateKeyFile: join(folder, "none") } })).rejects.toThrow(/ENOENT/);
  });
});
