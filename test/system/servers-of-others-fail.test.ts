import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAuthority } from "../../src/lab/certificate.ts";
import type { CertificateAuthority } from "../../src/lab/certificate.ts";
import { mail, relaySettings, until } from "../scenario/gateway.ts";
import { Aiosmtpd, noAiosmtpd } from "./aiosmtpd.ts";
import type { AiosmtpdOptions } from "./aiosmtpd.ts";
import { Installation } from "./installation.ts";
import { Postfix, noPostfix } from "./postfix.ts";
import { RedisServer } from "./redis.ts";

const missing = noPostfix ?? noAiosmtpd;
const title = `servers of others fail${missing === null ? "" : `: not run, ${missing}`}`;

/** Short waits, so that a provider that is back is used again soon. */
const SOON = {
  breaker: { openMs: 300, openMaxMs: 600, authOpenMs: 1_000, rampStepMs: 200 },
  retry: { delaysMs: [300], jitterPercent: 0 },
};

describe.skipIf(missing !== null)(title, () => {
  let redis: RedisServer;
  let postfix: Postfix;
  let aiosmtpd: Aiosmtpd;
  let authority: CertificateAuthority;
  let installation: Installation;

  beforeEach(async () => {
    redis = await RedisServer.start();
    authority = await createAuthority();
    postfix = await Postfix.start({
      listeners: { open: {}, tls: { smtpd_tls_security_level: "encrypt" } },
      certificate: authority.server,
    });
  });

  afterEach(async () => {
    await installation?.close();
    await postfix?.close();
    await aiosmtpd?.close();
    await redis?.close();
  });

  const install = async (first: object, options: AiosmtpdOptions = {}, second: object = {}): Promise<Installation> => {
    aiosmtpd = await Aiosmtpd.start(options);
    return Installation.create({
      ...SOON,
      redis: { url: redis.url },
      log: { level: "debug" },
      providers: {
        postfix: relaySettings({ port: postfix.port("open") }, { priority: 10, ...first }),
        aiosmtpd: relaySettings(aiosmtpd, { priority: 20, ...second }),
      },
    });
  };

  /** Which provider took each of so many messages, pushed one after the other. */
  const relayedBy = async (count: number): Promise<(string | null)[]> => {
    const client = installation.client(redis.url);
    const providers = [];
    for (let sent = 0; sent < count; sent += 1) {
      const jobId = await client.send(mail());
      const end = await client.follow(jobId, { signal: AbortSignal.timeout(30_000) });
      providers.push(end.record?.provider ?? null);
    }
    return providers;
  };

  const arrivedOnce = async (count: number): Promise<void> => {
    const all = [...(await postfix.delivered()), ...(await aiosmtpd.delivered())];
    expect(all).toHaveLength(count);
    expect(new Set(all.map((text) => /^X-Mailover-Id: (.*)$/m.exec(text)?.[1])).size).toBe(count);
  };

  test("Postfix stops and starts: mail goes around it, and back to it", async () => {
    installation = await install({});
    const gateway = await installation.start();
    expect(await relayedBy(3)).toEqual(["postfix", "postfix", "postfix"]);
    await postfix.stop();
    expect(await relayedBy(6)).toEqual(Array.from({ length: 6 }, () => "aiosmtpd"));
    await gateway.logged("breaker.changed", ({ provider, to }) => provider === "postfix" && to === "open");
    await postfix.start();
    await gateway.logged("ramp.stepped", ({ provider, percent }) => provider === "postfix" && percent === 100);
    expect(await relayedBy(2)).toEqual(["postfix", "postfix"]);
    await arrivedOnce(11);
  });

  test("Postfix freezes with its ports open: mail goes around it, and back to it", async () => {
    installation = await install({});
    const gateway = await installation.start();
    expect(await relayedBy(1)).toEqual(["postfix"]);
    await postfix.freeze();
    const client = installation.client(redis.url);
    const startedAt = Date.now();
    const jobs = await Promise.all(Array.from({ length: 20 }, () => client.send(mail())));
    const ends = await Promise.all(jobs.map((job) => client.follow(job, { signal: AbortSignal.timeout(30_000) })));
    expect(new Set(ends.map(({ record }) => record?.provider))).toEqual(new Set(["aiosmtpd"]));
    // Not a time-out of SMTP: slowAfterMs and the breaker get them away.
    expect(Date.now() - startedAt).toBeLessThan(9_000);
    await postfix.thaw();
    await gateway.logged("breaker.changed", ({ provider, to }) => provider === "postfix" && to === "closed");
    await until("new mail goes to Postfix", async () => (await relayedBy(1))[0] === "postfix");
    // Postfix finds what was abandoned as lost connections, and keeps none of it.
    const all = [...(await postfix.delivered()), ...(await aiosmtpd.delivered())];
    expect(new Set(all.map((text) => /^X-Mailover-Id: (.*)$/m.exec(text)?.[1])).size).toBe(all.length);
  });

  test("all servers freeze and thaw: nothing is lost, and only what was past its content comes twice", async () => {
    installation = await install({});
    await installation.start();
    const client = installation.client(redis.url);
    await postfix.freeze();
    aiosmtpd.freeze();
    const jobs = await Promise.all(Array.from({ length: 10 }, () => client.send(mail())));
    const ends = Promise.all(jobs.map((job) => client.follow(job, { signal: AbortSignal.timeout(60_000) })));
    const gateway = await installation.run(["health"]);
    expect(gateway.code).toBe(0);
    aiosmtpd.thaw();
    await postfix.thaw();
    expect((await ends).map(({ kind }) => kind)).toEqual(jobs.map(() => "relayed"));
    await arrivedOnce(10);
  });

  test("a certificate of an authority nobody named is an outage with its remedy, and works once it is named", async () => {
    const tls = { host: "localhost", port: postfix.port("tls"), tls: "required" };
    installation = await install(tls);
    const stranger = await createAuthority();
    await writeFile(join(installation.folder, "stranger.pem"), stranger.ca);
    await writeFile(join(installation.folder, "ca.pem"), authority.ca);

    const untrusting = await installation.start();
    expect(await relayedBy(1)).toEqual(["aiosmtpd"]);
    const ended = await untrusting.logged("attempt.ended", ({ provider }) => provider === "postfix");
    expect(ended).toMatchObject({
      cause: "outage",
      rule: "tls-certificate-untrusted",
      remedy: expect.stringContaining("setting ca"),
    });
    await untrusting.stop();

    const wrong = { MAILOVER_PROVIDERS_POSTFIX_CA: join(installation.folder, "stranger.pem") };
    const verification = await installation.run(["verify", "postfix"], wrong);
    expect(verification).toMatchObject({ code: 1, stdout: expect.stringContaining("setting ca") });

    const right = { MAILOVER_PROVIDERS_POSTFIX_CA: join(installation.folder, "ca.pem") };
    expect(await installation.run(["verify", "postfix"], right)).toMatchObject({ code: 0 });
    await installation.start(right);
    expect(await relayedBy(3)).toEqual(["postfix", "postfix", "postfix"]);
  });

  test("a login that is missing or wrong never bounces: mail waits, and goes out once it is right", async () => {
    const users = { mailover: "correct horse" };
    installation = await install({}, { users }, { priority: 1 });
    const missingLogin = await installation.start();
    expect(await relayedBy(1)).toEqual(["postfix"]);
    const first = await missingLogin.logged("attempt.ended", ({ provider }) => provider === "aiosmtpd");
    expect(first).toMatchObject({ cause: "auth", reply: expect.stringMatching(/^530 5\.7\.0/) });
    await missingLogin.stop();

    // The only one left, and it does not let us in.
    await postfix.stop();
    const login = { MAILOVER_PROVIDERS_AIOSMTPD_USER: "mailover" };
    const wrongLogin = await installation.start({ ...login, MAILOVER_PROVIDERS_AIOSMTPD_PASSWORD: "wrong horse" });
    const client = installation.client(redis.url);
    const jobId = await client.send(mail());
    // The fleet holds it open since the login was missing: the next to ask it is a probe, and no mail.
    const second = await wrongLogin.logged("probe.ended", ({ provider }) => provider === "aiosmtpd");
    expect(second).toMatchObject({ ok: false, stage: "auth", reason: expect.stringContaining("535 5.7.8") });
    await wrongLogin.logged("message.deferred");
    await wrongLogin.stop();

    await installation.start({ ...login, MAILOVER_PROVIDERS_AIOSMTPD_PASSWORD: users.mailover });
    expect(await client.follow(jobId, { signal: AbortSignal.timeout(30_000) })).toMatchObject({ kind: "relayed" });
    expect(await aiosmtpd.delivered()).toHaveLength(1);
  });

  test("STARTTLS and a login at aiosmtpd, which wants both", async () => {
    const ca = authority.ca;
    const login = { user: "mailover", host: "localhost", tls: "required", ca };
    const options = { users: { mailover: "correct horse" }, certificate: authority.server };
    installation = await install({}, options, { ...login, priority: 1 });
    await installation.start({ MAILOVER_PROVIDERS_AIOSMTPD_PASSWORD: "correct horse" });
    expect(await relayedBy(3)).toEqual(["aiosmtpd", "aiosmtpd", "aiosmtpd"]);
    await arrivedOnce(3);
  });
});
