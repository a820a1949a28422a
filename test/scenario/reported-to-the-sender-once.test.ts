import { afterEach, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";

let scene: Scene;
let relay: RelayServer;

beforeEach(async () => {
  scene = await Scene.open();
  relay = await startRelay();
});

afterEach(async () => {
  await scene.close();
  await relay.close();
});

const start = (more: object = {}): Promise<unknown> =>
  scene.start({ retry: { delaysMs: [200] }, providers: { relay: relaySettings(relay) }, ...more });

const reports = { from: "postmaster@contoso.example", host: "mail.contoso.example" };
const allDone = async (): Promise<boolean> => {
  const { completed = 0, failed = 0, ...others } = await scene.queue.counts();
  return completed + failed > 1 && Object.values(others).every((count) => count === 0);
};

test("a bounce is reported to the envelope's sender, once, and the report to nobody", async () => {
  await start({ reports });
  const jobId = await scene.push(
    mail({
      to: "unknown@example.org",
      envelope: { from: "scanner@contoso.example", to: ["unknown@example.org"] },
      dsn: true,
    }),
  );
  expect(await scene.end(jobId)).toMatchObject({ kind: "failed", reason: expect.stringMatching(/^bounced: /) });
  await until("all is done", allDone);
  expect(relay.accepted).toHaveLength(1);
  expect(relay.accepted[0]).toMatchObject({ mailFrom: "", rcptTo: ["scanner@contoso.example"] });
  const report = relay.accepted[0]?.content.toString() ?? "";
  expect(report).toMatch(/^From: .*postmaster@contoso\.example/m);
  expect(report).toContain("Final-Recipient: rfc822; unknown@example.org");
  expect(report).toContain("Reporting-MTA: dns; mail.contoso.example");
});

test("of several recipients only those who were not reached are in it", async () => {
  await start({ reports });
  const record = await scene.relayed(
    await scene.push(mail({ to: ["ann@example.org", "unknown@example.org"], dsn: true })),
  );
  expect(record.status).toBe("relayed");
  await until("all is done", allDone);
  expect(relay.accepted).toHaveLength(2);
  const report = relay.accepted[1]?.content.toString() ?? "";
  expect(report).toContain("unknown@example.org");
  expect(report).not.toContain("Final-Recipient: rfc822; ann@example.org");
});

test("nobody is told of what was relayed to all, and a report that bounces is not reported", async () => {
  await start({ reports });
  await scene.relayed(await scene.push(mail({ dsn: true })));
  const jobId = await scene.push(mail({ from: "unknown@contoso.example", to: "unknown@example.org", dsn: true }));
  await scene.end(jobId);
  await until("the report has bounced, too", async () => ((await scene.queue.counts())["failed"] ?? 0) === 2);
  await until("all is done", allDone);
  expect(relay.accepted).toHaveLength(1);
  expect((await scene.queue.counts())["completed"]).toBe(1);
});

test("a gateway that makes no reports refuses to promise one", async () => {
  await start();
  expect(await scene.end(await scene.push(mail({ dsn: true })))).toMatchObject({
    kind: "failed",
    reason: "refused: dsn: needs the setting reports.from",
  });
});
