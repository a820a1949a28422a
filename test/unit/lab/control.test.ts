import { createTransport } from "nodemailer";
import { expect, onTestFinished, test } from "vitest";
import { LabClient, startControl, startLab } from "../../../src/lab/index.ts";
import type { Fault, Lab, LabServerName } from "../../../src/lab/index.ts";

async function controlled(): Promise<{ lab: Lab; client: LabClient; url: string }> {
  const lab = await startLab();
  const control = await startControl(lab);
  onTestFinished(async () => {
    await control.close();
    await lab.close();
  });
  return { lab, client: new LabClient(control.url), url: control.url };
}

function deliver(lab: Lab): Promise<unknown> {
  const transporter = createTransport({ host: lab.relay.host, port: lab.relay.port, tls: { ca: lab.ca } });
  onTestFinished(() => transporter.close());
  return transporter.sendMail({ from: "a@app.test", to: "b@x.test", subject: "x", text: "x" });
}

test("the state names each server, its port, its faults and what it has accepted", async () => {
  const { lab, client } = await controlled();
  await deliver(lab);
  await lab.sendgrid.setFault({ kind: "refuse" });
  const state = await client.state();
  expect(state).toMatchObject({
    ok: true,
    value: {
      servers: {
        entra: { port: lab.entra.port, faults: [], acceptedCount: 0 },
        exchange: { port: lab.exchange.port },
        sendgrid: { port: lab.sendgrid.port, faults: [{ kind: "refuse" }] },
        relay: { host: "127.0.0.1", port: lab.relay.port, acceptedCount: 1 },
      },
    },
  });
});

test("a fault is set, replaced, and lifted from outside", async () => {
  const { lab, client } = await controlled();
  const fault: Fault = { kind: "reply", at: "mail", text: "450 4.3.0 Busy" };
  expect(await client.setFaults("relay", fault)).toEqual({ ok: true, value: { faults: [fault] } });
  await expect(deliver(lab)).rejects.toMatchObject({ responseCode: 450 });
  const two: readonly Fault[] = [
    { kind: "slow", delayMs: 1 },
    { kind: "drop", at: "dot" },
  ];
  expect(await client.setFaults("relay", two)).toEqual({ ok: true, value: { faults: two } });
  await expect(deliver(lab)).rejects.toMatchObject({ code: "ECONNECTION" });
  expect(await client.clearFaults("relay")).toEqual({ ok: true, value: { faults: [] } });
  await expect(deliver(lab)).resolves.toMatchObject({ response: expect.stringMatching(/^250 /) });
});

test("accepted messages come with their content, the newest where there are many", async () => {
  const { lab, client } = await controlled();
  for (let sent = 0; sent < 3; sent += 1) await deliver(lab);
  const answer = await client.accepted("relay", 2);
  const messages = answer.ok ? answer.value : [];
  expect(messages.map(({ remoteId }) => remoteId)).toEqual(lab.relay.accepted.slice(1).map(({ remoteId }) => remoteId));
  expect(Buffer.from(messages[0]?.content ?? "", "base64")).toEqual(lab.relay.accepted[1]?.content);
});

test("what is wrong is said: field, value, rule", async () => {
  const { client, url } = await controlled();
  expect(await client.setFaults("relay", { kind: "slow", delayMs: -1 })).toEqual({
    ok: false,
    error: "fault.delayMs: -1 is below 0",
  });
  expect(await client.clearFaults("mx" as LabServerName)).toEqual({
    ok: false,
    error: 'server: "mx" is none of entra, exchange, graph, sendgrid, relay',
  });
  expect(await client.accepted("relay", 0)).toEqual({ ok: false, error: "limit: 0 is not a whole number from 1" });
  const response = await fetch(`${url}/faults/relay`, { method: "PUT", body: "{" });
  expect([response.status, await response.json()]).toEqual([400, { error: "body: is not JSON" }]);
  const unknown = await fetch(`${url}/faults/relay`, { method: "POST" });
  expect([unknown.status, await unknown.json()]).toEqual([
    404,
    { error: "POST /faults/relay: there is no such route" },
  ]);
});

test("a lab that is not there is said so", async () => {
  const { lab } = await controlled();
  await lab.relay.setFault({ kind: "refuse" });
  const client = new LabClient(`http://127.0.0.1:${lab.relay.port}/`);
  expect(await client.state()).toEqual({ ok: false, error: `no lab answers at http://127.0.0.1:${lab.relay.port}` });
});

test("a port that is taken fails the start and leaves nothing running", async () => {
  const { lab } = await controlled();
  await expect(startLab({ ports: { relay: lab.relay.port } })).rejects.toMatchObject({ code: "EADDRINUSE" });
});
