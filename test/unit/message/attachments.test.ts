import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { compose, defaultLimits, formatProblems } from "../../../src/message/index.ts";
import type { MessageLimits } from "../../../src/message/index.ts";
import { accept, identify, minimal, refusal } from "./fixture.ts";

type Result = {
  readonly content?: string;
  readonly filename?: string | null;
  readonly problem?: string;
  readonly retryable?: boolean;
};

/** What comes of one attachment, from the data to the finished message. */
async function attach(attachment: object, limits: Partial<MessageLimits>): Promise<Result> {
  const data = { ...minimal, attachments: [attachment] };
  const submission = accept(data, limits);
  const composed = await compose(submission, identify(submission, data), { ...defaultLimits, ...limits });
  if (!composed.ok) return { problem: formatProblems(composed.problems), retryable: composed.retryable };
  const read = composed.message.parts!.attachments[0]!;
  return { content: read.content.toString(), filename: read.filename };
}

describe("a path", () => {
  let root: string;
  let folder: string;
  let limits: Partial<MessageLimits>;

  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), "mailover-")));
    folder = join(root, "allowed");
    await mkdir(join(folder, "sub"), { recursive: true });
    await mkdir(join(root, "allowed-not"));
    await writeFile(join(folder, "a.txt"), "inside");
    await writeFile(join(folder, "sub", "請求書.txt"), "deep");
    await writeFile(join(root, "secret.txt"), "outside");
    await writeFile(join(root, "allowed-not", "a.txt"), "outside");
    limits = { attachmentFolders: [folder] };
  });
  afterEach(() => rm(root, { recursive: true }));

  test("inside an allowed folder is read, and named for its file", async () => {
    expect(await attach({ path: join(folder, "a.txt") }, limits)).toEqual({ content: "inside", filename: "a.txt" });
    expect(await attach({ path: join(folder, "sub", "請求書.txt") }, limits)).toEqual({
      content: "deep",
      filename: "請求書.txt",
    });
    expect(await attach({ path: join(folder, "a.txt"), filename: "b.txt" }, limits)).toMatchObject({
      filename: "b.txt",
    });
    expect(await attach({ path: join(folder, "sub", "..", "a.txt") }, limits)).toMatchObject({ content: "inside" });
  });

  test("through a link is read where both ends are inside, also when the folder itself is a link", async () => {
    await symlink(join(folder, "a.txt"), join(folder, "sub", "link"));
    expect(await attach({ path: join(folder, "sub", "link") }, limits)).toMatchObject({ content: "inside" });
    await symlink(folder, join(root, "alias"));
    expect(
      await attach({ path: join(root, "alias", "a.txt") }, { attachmentFolders: [join(root, "alias")] }),
    ).toMatchObject({ content: "inside" });
  });

  const outside = { problem: "attachments[0].path: is outside the allowed attachment folders", retryable: false };

  test.each([
    ["another folder", (root: string) => join(root, "secret.txt")],
    ["a folder whose name begins alike", (root: string) => join(root, "allowed-not", "a.txt")],
    ["dots", (root: string) => `${root}/allowed/../secret.txt`],
    ["dots after a link's folder", (root: string) => `${root}/allowed/sub/../../secret.txt`],
    ["the folder itself", (root: string) => join(root, "allowed")],
    ["a device", () => "/dev/zero"],
    ["a relative path", () => "package.json"],
  ])("to %s is refused", async (_, path) => {
    expect(await attach({ path: path(root) }, limits)).toEqual(outside);
  });

  test("through a link that leads out is refused, by file or by folder", async () => {
    await symlink(join(root, "secret.txt"), join(folder, "link"));
    await symlink(root, join(folder, "up"));
    expect(await attach({ path: join(folder, "link") }, limits)).toEqual(outside);
    expect(await attach({ path: join(folder, "up", "secret.txt") }, limits)).toEqual(outside);
  });

  test.each([
    ["%2e%2e%2fsecret.txt", "does not exist or may not be read"],
    ["missing.txt", "does not exist or may not be read"],
    ["sub", "is not a regular file"],
  ])("to %s is refused", async (name, rule) => {
    expect(await attach({ path: join(folder, name) }, limits)).toEqual({
      problem: `attachments[0].path: ${rule}`,
      retryable: false,
    });
  });

  test("to a pipe is refused at once", async () => {
    execFileSync("mkfifo", [join(folder, "pipe")]);
    expect(await attach({ path: join(folder, "pipe") }, limits)).toMatchObject({
      problem: "attachments[0].path: is not a regular file",
    });
  });

  test("to too large a file is refused, alone or together", async () => {
    const tooLarge = { problem: "attachments[0].path: makes the message larger than it may be", retryable: false };
    expect(await attach({ path: join(folder, "a.txt") }, { ...limits, maxSizeBytes: 5 })).toEqual(tooLarge);
    const data = { ...minimal, attachments: Array.from({ length: 3 }, () => ({ path: join(folder, "a.txt") })) };
    const submission = accept(data, limits);
    const composed = await compose(submission, identify(submission, data), {
      ...defaultLimits,
      ...limits,
      maxSizeBytes: 12,
    });
    expect(composed).toMatchObject({ ok: false, problems: [{ field: "attachments[2].path" }] });
  });

  test.each([
    ["/a.txt", {}, "cannot be read: this worker has no allowed attachment folder"],
    ["file:///etc/passwd", { attachmentFolders: ["/"] }, "is a URL: only a file path is taken here"],
    ["data:text/plain,hello", { attachmentFolders: ["/"] }, "is a URL: only a file path is taken here"],
    ["DATA:text/plain,hello", { attachmentFolders: ["/"] }, "is a URL: only a file path is taken here"],
    ["", { attachmentFolders: ["/"] }, "is not a file path"],
    ["/a\0b", { attachmentFolders: ["/"] }, "is not a file path"],
    [
      "https://contoso.com/a",
      { attachmentFolders: ["/"] },
      "cannot be fetched: this worker has no allowed attachment host",
    ],
  ])("%j is refused before anything is queued", (path, allowed, rule) => {
    expect(refusal({ ...minimal, attachments: [{ path }] }, allowed)).toBe(`attachments[0].path: ${rule}`);
  });
});

describe("an href", () => {
  let server: Server;
  let origin: string;
  let limits: Partial<MessageLimits>;
  let requests: string[];
  let handler: RequestListener;

  beforeEach(async () => {
    requests = [];
    handler = (_, response) => response.end("fetched");
    server = createServer((request, response) => {
      requests.push(request.url ?? "");
      handler(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    limits = { attachmentHosts: [origin] };
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test("on an allowed host is fetched, and named for its path", async () => {
    expect(await attach({ href: `${origin}/f/%E8%AB%8B.pdf?x=1` }, limits)).toEqual({
      content: "fetched",
      filename: "請.pdf",
    });
    expect(requests).toEqual(["/f/%E8%AB%8B.pdf?x=1"]);
  });

  test("given as path is the same, as in nodemailer", async () => {
    expect(await attach({ path: `${origin}/a.txt` }, limits)).toEqual({ content: "fetched", filename: "a.txt" });
  });

  test.each([
    [404, false],
    [403, false],
    [204, false],
    [429, true],
    [503, true],
  ])("that is answered with %d is a problem, worth another try: %s", async (status, retryable) => {
    handler = (_, response) => response.writeHead(status).end();
    expect(await attach({ href: `${origin}/a` }, limits)).toEqual({
      problem: `attachments[0].href: was answered with HTTP status ${status}`,
      retryable,
    });
  });

  test("is not followed elsewhere", async () => {
    handler = (_, response) => response.writeHead(302, { location: `${origin}/elsewhere` }).end();
    expect(await attach({ href: `${origin}/a` }, limits)).toEqual({
      problem: "attachments[0].href: was answered with HTTP status 302",
      retryable: false,
    });
    expect(requests).toEqual(["/a"]);
  });

  test("that does not end in time is given up", async () => {
    handler = (_, response) => response.write("so far");
    expect(await attach({ href: `${origin}/a` }, { ...limits, attachmentTimeoutMs: 50 })).toEqual({
      problem: "attachments[0].href: took longer than 50 ms",
      retryable: true,
    });
  });

  test("that is too large is given up, though its length was not told", async () => {
    handler = (_, response) => {
      const write = () => {
        while (response.write("x".repeat(1_000)));
      };
      response.on("drain", write);
      write();
    };
    expect(await attach({ href: `${origin}/a` }, { ...limits, maxSizeBytes: 10_000 })).toEqual({
      problem: "attachments[0].href: makes the message larger than it may be",
      retryable: false,
    });
  });

  test("on a server that is away may be tried again", async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await attach({ href: `${origin}/a` }, limits)).toEqual({
      problem: "attachments[0].href: cannot be fetched (ECONNREFUSED)",
      retryable: true,
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });

  const hosts = ["files.contoso.com", "files.contoso.com:8443", "http://intranet:8080"];
  test.each([
    ["https://files.contoso.com/a", null],
    ["https://FILES.contoso.com:443/a", null],
    ["https://files.contoso.com:8443/a", null],
    ["http://intranet:8080/a", null],
    ["http://files.contoso.com/a", "is not on an allowed host"],
    ["https://files.contoso.com:9443/a", "is not on an allowed host"],
    ["https://intranet:8080/a", "is not on an allowed host"],
    ["https://files.contoso.com.evil.example/a", "is not on an allowed host"],
    ["https://evil.example/files.contoso.com", "is not on an allowed host"],
    ["https://x.files.contoso.com/a", "is not on an allowed host"],
    ["https://files.contoso.com@evil.example/a", "has credentials in it"],
    ["https://user:pass@files.contoso.com/a", "has credentials in it"],
    ["ftp://files.contoso.com/a", "is not an http(s) URL"],
    ["file:///etc/passwd", "is not an http(s) URL"],
    ["data:text/plain,hello", "is not an http(s) URL"],
    ["/etc/passwd", "is not a URL"],
  ])("%s: %s", (href, rule) => {
    const want = rule === null ? null : `attachments[0].href: ${rule}`;
    expect(refusal({ ...minimal, attachments: [{ href }] }, { attachmentHosts: hosts })).toBe(want);
  });
});

test("all attachments that cannot be read are named, and one that is final makes the whole final", async () => {
  const limits = { attachmentFolders: [tmpdir()], attachmentHosts: ["http://127.0.0.1:1"], attachmentTimeoutMs: 5_000 };
  const data = {
    ...minimal,
    attachments: [{ path: "/no/such/file" }, { content: "x" }, { href: "http://127.0.0.1:1/a" }],
  };
  const submission = accept(data, limits);
  const composed = await compose(submission, identify(submission, data), { ...defaultLimits, ...limits });
  expect(composed).toMatchObject({
    ok: false,
    problems: [{ field: "attachments[0].path" }, { field: "attachments[2].href" }],
    retryable: false,
  });
});
