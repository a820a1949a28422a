import { createTransport } from "nodemailer";
import { describe, expect, onTestFinished, test } from "vitest";
import { LAB_ACCOUNT, startLab } from "../../../src/lab/index.ts";
import type { Lab, LabOptions } from "../../../src/lab/index.ts";
import { accessToken, msal, networkClient } from "./msal.ts";

const { mailbox } = LAB_ACCOUNT;
const noSuchFilter = "subject eq 'x'";
const always = "createdDateTime ge 2000-01-01T00:00:00Z and createdDateTime le 2100-01-01T00:00:00Z";

type ListBody = {
  value?: readonly Record<string, unknown>[];
  "@odata.nextLink"?: string;
  error?: { code: string };
};

async function opened(options: LabOptions = {}): Promise<{ lab: Lab; token: string }> {
  const lab = await startLab(options);
  onTestFinished(() => lab.close());
  const result = await msal(lab.entra).acquireTokenByClientCredential({ scopes: [LAB_ACCOUNT.graphScope] });
  return { lab, token: result?.accessToken ?? "" };
}

async function deliver(lab: Lab, messageId: string): Promise<void> {
  const auth = { type: "OAuth2" as const, user: mailbox, accessToken: await accessToken(lab.entra) };
  const { port } = lab.exchange;
  const transporter = createTransport({ host: "localhost", port, requireTLS: true, tls: { ca: lab.ca }, auth });
  onTestFinished(() => transporter.close());
  await transporter.sendMail({ from: mailbox, to: "b@x.test", subject: "x", text: "the text", messageId });
}

async function list(lab: Lab, token: string, query: Record<string, string> = {}, user: string = mailbox) {
  const search = Object.entries({ $filter: always, ...query }).map(
    ([name, value]) => `${name}=${encodeURIComponent(value)}`,
  );
  const url = `${lab.graph.url}/v1.0/users/${encodeURIComponent(user)}/mailFolders/sentitems/messages?${search.join("&")}`;
  const headers = { authorization: `Bearer ${token}` };
  const { status, body } = await networkClient(lab.ca).sendGetRequestAsync<ListBody>(url, { headers });
  return { status, code: body.error?.code, value: body.value ?? [], next: body["@odata.nextLink"] };
}

describe("Sent Items", () => {
  test("show what Exchange accepted from the mailbox, the fields that were asked for", async () => {
    const { lab, token } = await opened();
    await deliver(lab, "<1@app.test>");
    const $select = "internetMessageId,createdDateTime,internetMessageHeaders";
    const { status, value } = await list(lab, token, { $select });
    expect(status).toBe(200);
    expect(value).toEqual([
      {
        id: expect.any(String),
        internetMessageId: "<1@app.test>",
        createdDateTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        internetMessageHeaders: expect.arrayContaining([{ name: "To", value: "b@x.test" }]),
      },
    ]);
    expect(JSON.stringify(value)).not.toContain("the text");
    expect((await list(lab, token, {}, "other@contoso.com")).value).toEqual([]);
  });

  test("are found by Message-ID and by time", async () => {
    const { lab, token } = await opened();
    await deliver(lab, "<it's+1@app.test>");
    await deliver(lab, "<2@app.test>");
    const found = async ($filter: string) => (await list(lab, token, { $filter })).value.length;
    expect(await found("internetMessageId eq '<it''s+1@app.test>'")).toBe(1);
    expect(await found("internetMessageId eq '<3@app.test>'")).toBe(0);
    expect(await found("createdDateTime ge 2100-01-01T00:00:00Z and createdDateTime le 2100-01-02T00:00:00Z")).toBe(0);
    expect(await found(always)).toBe(2);
  });

  test("come in pages", async () => {
    const { lab, token } = await opened();
    await deliver(lab, "<1@app.test>");
    await deliver(lab, "<2@app.test>");
    expect(await list(lab, token, { $top: "1" })).toMatchObject({
      value: [{}],
      next: expect.stringContaining("skip=1"),
    });
    expect(await list(lab, token, { $top: "2" })).toMatchObject({ value: [{}, {}], next: undefined });
  });

  test("come late, or never, by rule", async () => {
    const { lab, token } = await opened({ graph: { copyDelayMs: 60_000 } });
    await deliver(lab, "<1@app.test>");
    expect((await list(lab, token)).value).toEqual([]);
    lab.graph.setRules({ copyDelayMs: 0 });
    expect((await list(lab, token)).value).toHaveLength(1);
    lab.graph.setRules({ keepsCopies: false });
    expect((await list(lab, token)).value).toEqual([]);
  });

  test("have Message-IDs of Exchange's own by rule, the old one in a header", async () => {
    const { lab, token } = await opened({ graph: { replacesMessageIds: true } });
    await deliver(lab, "<1@app.test>");
    const $select = "internetMessageId,internetMessageHeaders";
    expect((await list(lab, token, { $select })).value).toMatchObject([
      {
        internetMessageId: expect.stringMatching(/prod\.outlook\.com>$/),
        internetMessageHeaders: expect.arrayContaining([
          { name: "X-Microsoft-Original-Message-ID", value: "<1@app.test>" },
        ]),
      },
    ]);
    lab.graph.setRules({ showsHeaders: false });
    expect((await list(lab, token, { $select })).value[0]).not.toHaveProperty("internetMessageHeaders");
  });
});

describe("refusals", () => {
  test("of tokens: none, made up, for SMTP; and Exchange takes none for Graph", async () => {
    const { lab, token } = await opened();
    for (const bad of ["", "eyJ0eXAiOiJKV1QifQ.e30.x", await accessToken(lab.entra)]) {
      expect(await list(lab, bad)).toMatchObject({ status: 401, code: "InvalidAuthenticationToken" });
    }
    expect(lab.entra.checkToken(token)).toMatchObject({ audience: "https://graph.microsoft.com", roles: [] });
    const auth = { type: "OAuth2" as const, user: mailbox, accessToken: token };
    const { port } = lab.exchange;
    const transporter = createTransport({ host: "localhost", port, requireTLS: true, tls: { ca: lab.ca }, auth });
    onTestFinished(() => transporter.close());
    await expect(transporter.verify()).rejects.toMatchObject({ responseCode: 535 });
  });

  test("of mailboxes and questions", async () => {
    const { lab, token } = await opened({ graph: { readable: [mailbox, "gone@contoso.com"], mailboxes: [mailbox] } });
    expect(await list(lab, token)).toMatchObject({ status: 200 });
    expect(await list(lab, token, {}, "other@contoso.com")).toMatchObject({ status: 403, code: "ErrorAccessDenied" });
    expect(await list(lab, token, {}, "gone@contoso.com")).toMatchObject({ status: 404, code: "ErrorInvalidUser" });
    expect(await list(lab, token, { $filter: noSuchFilter })).toMatchObject({ status: 400 });
  });
});
