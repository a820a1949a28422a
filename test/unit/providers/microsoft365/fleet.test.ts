import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { LAB_ACCOUNT, startLab } from "../../../../src/lab/index.ts";
import type { Lab } from "../../../../src/lab/index.ts";
import { clientSecret, mailbox, providerOf, resetLab } from "./lab-provider.ts";
import type { Watched } from "./lab-provider.ts";
import { MemoryCache } from "./memory-cache.ts";
import { messageFrom } from "./message.ts";

let lab: Lab;
let cache: MemoryCache;
let members: Watched[];
const folder = mkdtempSync(join(tmpdir(), "mailover-test-"));

beforeAll(async () => {
  lab = await startLab();
});
afterAll(async () => {
  await lab.close();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  await resetLab(lab);
  cache = new MemoryCache();
  members = [];
});
afterEach(async () => {
  await Promise.all(members.map((member) => member.close()));
});

function joined(changes: Record<string, unknown> = {}): Watched {
  const member = providerOf(lab, changes, cache);
  members.push(member);
  return member;
}

const eventsOf = (member: Watched) => member.notices.map(({ event }) => event);

test("with a secret: the second provider sends with the token of the first, also while Entra ID is down", async () => {
  expect(await joined().send()).toMatchObject({ kind: "relayed" });
  await lab.entra.setFault({ kind: "refuse" });
  const second = joined();
  expect(await second.send()).toMatchObject({ kind: "relayed" });
  expect(eventsOf(second)).toEqual(["token.shared"]);
  expect(lab.entra.tokenRequestCount()).toBe(1);
});

test("with a certificate, whoever wrote its file", async () => {
  const { private: key, cert } = await generate([{ name: "commonName", value: "mailover" }], {
    keyType: "rsa",
    keySize: 2048,
    algorithm: "sha256",
    notAfterDate: new Date(Date.now() + 90 * 86_400_000),
  });
  lab.entra.setRules({ apps: [{ clientId: LAB_ACCOUNT.clientId, certificates: [cert] }] });
  const files = [join(folder, "app.pem"), join(folder, "other-order.pem")] as const;
  writeFileSync(files[0], key + cert);
  writeFileSync(files[1], `${cert}\r\n${key}`);
  for (const file of files) expect(await joined({ certificate: { file } }).send()).toMatchObject({ kind: "relayed" });
  expect(lab.entra.tokenRequestCount()).toBe(1);
});

test("mailboxes of one app share a token", async () => {
  const other = "second@contoso.com";
  expect(await joined().send()).toMatchObject({ kind: "relayed" });
  expect(await joined({ mailbox: other }).send(messageFrom(other))).toMatchObject({ kind: "relayed" });
  expect(lab.entra.tokenRequestCount()).toBe(1);
});

test("a token that was revoked is replaced for all, within the attempts", async () => {
  const [first, second] = [joined(), joined()];
  for (const member of [first, second]) await member.send();
  lab.entra.revokeTokens();
  await lab.exchange.setFault({ kind: "refuse" });
  await expect.poll(() => lab.exchange.connections, { timeout: 10_000 }).toBe(0);
  await lab.exchange.setFault(null);
  for (const member of [first, second]) expect(await member.send()).toMatchObject({ kind: "relayed" });
  // And one that starts finds the new one.
  expect(await joined().send()).toMatchObject({ kind: "relayed" });
  expect(lab.entra.tokenRequestCount()).toBe(2);
});

test("a token in the store that Exchange no longer takes stops nobody who starts", async () => {
  expect(await joined().send()).toMatchObject({ kind: "relayed" });
  lab.entra.revokeTokens();
  cache.leases.clear();
  const late = joined();
  expect(await late.send()).toMatchObject({ kind: "relayed" });
  expect(eventsOf(late)).toEqual(["token.shared", "token.rejected", "token.acquired"]);
});

test("the token for Graph has a place of its own", async () => {
  const graph = { verifyWithGraph: true, graph: { url: lab.graph.url } };
  const signal = new AbortController().signal;
  for (const member of [joined(graph), joined(graph)]) {
    await member.send();
    await member.provider.lookup?.(messageFrom(mailbox), [], Date.now(), { signal });
  }
  expect(cache.values.size).toBe(2);
  expect(lab.entra.tokenRequestCount()).toBe(2);
  expect(members.map(eventsOf)).toEqual([
    ["token.acquired", "graph.token.acquired"],
    ["token.shared", "graph.token.shared"],
  ]);
});

test("nothing that is kept holds a secret or a token", async () => {
  await joined().send();
  for (const [key, { value }] of cache.values) {
    for (const text of [key, value, Buffer.from(value, "base64").toString("latin1")]) {
      expect(text).not.toMatch(new RegExp(`eyJ[\\w-]+[.]|${clientSecret}|${LAB_ACCOUNT.clientId}`));
    }
  }
});
