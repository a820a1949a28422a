import { expect, onTestFinished, test } from "vitest";
import { LAB_ACCOUNT, startSendGrid } from "../../../src/lab/index.ts";
import type { SendGridOptions, SendGridServer } from "../../../src/lab/index.ts";

async function sendgrid(options?: SendGridOptions): Promise<SendGridServer> {
  const server = await startSendGrid(options);
  onTestFinished(() => server.close());
  const to = (address: string, id: string) => ({ to: [{ email: address }], custom_args: { mailover_id: id } });
  const body = {
    personalizations: [to("b@x.test", "m1"), to("c@x.test", "m1"), to("d@x.test", "m2")],
    from: { email: "a@app.test" },
    subject: "x",
    content: [{ type: "text/plain", value: "the text" }],
  };
  const response = await fetch(`${server.url}/v3/mail/send`, {
    method: "POST",
    headers: { authorization: `Bearer ${LAB_ACCOUNT.sendGridKey}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(202);
  return server;
}

async function ask(server: SendGridServer, query: string, limit = 10) {
  const response = await fetch(`${server.url}/v3/messages?limit=${limit}&query=${encodeURIComponent(query)}`, {
    headers: { authorization: `Bearer ${LAB_ACCOUNT.sendGridKey}` },
  });
  return { status: response.status, body: (await response.json()) as { messages?: object[]; errors?: object[] } };
}

test("a message is found by a custom argument, a row for each recipient", async () => {
  const server = await sendgrid();
  const { status, body } = await ask(server, `(unique_args['mailover_id']="m1")`);
  expect(status).toBe(200);
  expect(body.messages).toMatchObject([
    { to_email: "b@x.test", from_email: "a@app.test", subject: "x", status: "processed" },
    { to_email: "c@x.test", msg_id: expect.stringMatching(new RegExp(`^${server.accepted[0]?.remoteId}\\.`)) },
  ]);
  expect((await ask(server, `unique_args["mailover_id"] = "m1"`, 1)).body.messages).toHaveLength(1);
  expect((await ask(server, `(unique_args['mailover_id']="m3")`)).body).toEqual({ messages: [] });
});

test("what it does not understand is an error of the query", async () => {
  const server = await sendgrid();
  const wrong = { status: 400, body: { errors: [{ field: "query" }] } };
  expect(await ask(server, "unique_args.mailover_id=1")).toMatchObject(wrong);
  expect(await ask(server, `(unique_args['a']="b")`, 1_001)).toMatchObject({ body: { errors: [{ field: "limit" }] } });
});

test("six questions a minute, a key with the permission, and rows that come late", async () => {
  let now = 0;
  const server = await sendgrid({ clock: () => now, rules: { activityDelayMs: 30_000 } });
  const query = `(unique_args['mailover_id']="m1")`;
  for (let asked = 0; asked < 6; asked += 1) expect((await ask(server, query)).body).toEqual({ messages: [] });
  expect((await ask(server, query)).status).toBe(429);
  now = 60_000;
  expect((await ask(server, query)).body.messages).toHaveLength(2);
  server.setRules({ keys: { [LAB_ACCOUNT.sendGridKey]: ["mail.send"] } });
  expect((await ask(server, query)).status).toBe(403);
});
