import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { SmtpReader } from "../../../src/lab/smtp-reader.ts";

const contents: readonly [rule: string, sent: string, content: string][] = [
  ["a plain message ends at the dot", "a\r\nb\r\n.\r\n", "a\r\nb\r\n"],
  ["no content at all", ".\r\n", ""],
  ["a doubled dot is one", "..a\r\n..\r\nb..\r\n.\r\n", ".a\r\n.\r\nb..\r\n"],
  ["a dot and text loses the dot", "x\r\n.y\r\n.\r\n", "x\r\ny\r\n"],
  ["a dot within a line stays", "a.\r\n b.c\r\n.\r\n", "a.\r\n b.c\r\n"],
  ["a bare LF before a dot does not end it", "a\n.\nb\r\n.\r\n", "a\n.\nb\r\n"],
  ["an empty first line", "\r\n.\r\n", "\r\n"],
  ["lines that hold a dot only", "\r\n..\r\n..\r\n.\r\n", "\r\n.\r\n.\r\n"],
];

describe("content", () => {
  for (const [rule, sent, content] of contents) {
    test(`${rule}, wherever the chunks are cut`, async () => {
      const bytes = Buffer.from(`${sent}QUIT\r\n`);
      for (let cut = 1; cut < bytes.length; cut += 1) {
        const stream = new PassThrough();
        const reader = new SmtpReader(stream);
        stream.write(bytes.subarray(0, cut));
        const reading = reader.readContent(1_000);
        await new Promise(setImmediate);
        stream.write(bytes.subarray(cut));
        const got = await reading;
        expect(got?.content.toString()).toBe(content);
        expect(await reader.readLine()).toBe("QUIT");
      }
    });

    test(`${rule}, byte by byte`, async () => {
      const stream = new PassThrough();
      const reader = new SmtpReader(stream);
      const reading = reader.readContent(1_000);
      for (const byte of Buffer.from(sent)) {
        stream.write(Buffer.of(byte));
        await new Promise(setImmediate);
      }
      const got = await reading;
      expect(got?.content.toString()).toBe(content);
      expect(got?.sizeBytes).toBe(sent.length - 3);
    });
  }

  test("more than allowed is counted, not kept", async () => {
    const stream = new PassThrough();
    const reader = new SmtpReader(stream);
    stream.end(`${"x".repeat(98)}\r\n.\r\n`);
    expect(await reader.readContent(99)).toEqual({ content: Buffer.alloc(0), sizeBytes: 100 });
  });

  test("the client's end within it is null", async () => {
    const stream = new PassThrough();
    const reader = new SmtpReader(stream);
    stream.end("a\r\n.");
    expect(await reader.readContent(99)).toBeNull();
  });
});

test("lines come one by one, and null at the end", async () => {
  const stream = new PassThrough();
  const reader = new SmtpReader(stream);
  stream.end("EHLO a\r\nMAIL FROM:<a@b.test>\r\nunfinished");
  expect(await reader.readLine()).toBe("EHLO a");
  expect(await reader.readLine()).toBe("MAIL FROM:<a@b.test>");
  expect(await reader.readLine()).toBeNull();
});
