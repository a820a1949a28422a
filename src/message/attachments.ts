import { constants } from "node:fs";
import { open, realpath } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { sep } from "node:path";

import type { Attachment, AttachmentSource } from "../core/message.ts";
import { checkHref } from "./attachment-href.ts";
import type { MessageLimits } from "./limits.ts";
import type { Problem } from "./problem.ts";

/** A problem with a note on whether a later try may end better, as when a server is away. */
export type ReadProblem = Problem & { readonly retryable: boolean };

type Read = { readonly ok: true; readonly content: Buffer } | ReadFailure;
type ReadFailure = { readonly ok: false; readonly rule: string; readonly retryable: boolean };

/** Reads every attachment. Together they may not be larger than a message. All failures are returned, not just the first. */
export async function readAttachments(
  sources: readonly AttachmentSource[],
  limits: MessageLimits,
): Promise<{ readonly attachments: Attachment[]; readonly problems: ReadProblem[] }> {
  const attachments: Attachment[] = [];
  const problems: ReadProblem[] = [];
  let roomBytes = limits.maxSizeBytes;
  for (const [index, { source, ...rest }] of sources.entries()) {
    const read = await readSource(source, limits, roomBytes);
    if (read.ok) {
      roomBytes -= read.content.length;
      attachments.push({ ...rest, content: read.content });
    } else {
      const name = source.kind === "content" ? "" : `.${source.kind}`;
      problems.push({ field: `attachments[${index}]${name}`, value: "", rule: read.rule, retryable: read.retryable });
    }
  }
  return { attachments, problems };
}

async function readSource(source: AttachmentSource["source"], limits: MessageLimits, roomBytes: number): Promise<Read> {
  switch (source.kind) {
    case "content":
      return source.content.length > roomBytes ? tooLarge : { ok: true, content: source.content };
    case "path":
      return readPath(source.path, limits, roomBytes);
    case "href":
      return readHref(source.href, limits, roomBytes);
    default:
      return source satisfies never;
  }
}

const tooLarge: ReadFailure = { ok: false, rule: "makes the message larger than it may be", retryable: false };

/** The check is made on the real path and the opened file, so that neither `..` nor a symbolic link leads out. */
async function readPath(path: string, limits: MessageLimits, roomBytes: number): Promise<Read> {
  const real = await realPathOf(path);
  if (real === null) return { ok: false, rule: "does not exist or may not be read", retryable: false };
  const folders = await Promise.all(limits.attachmentFolders.map(realPathOf));
  const inside = folders.some(
    (folder) => folder !== null && real.startsWith(folder.endsWith(sep) ? folder : folder + sep),
  );
  if (!inside) return { ok: false, rule: "is outside the allowed attachment folders", retryable: false };
  return readFile(real, limits, roomBytes);
}

/** What another try will not mend: no right to read it, or the file was taken away or swapped for a link. */
const finalCodes = new Set(["EACCES", "EPERM", "ENOENT", "ELOOP"]);

async function readFile(path: string, limits: MessageLimits, roomBytes: number): Promise<Read> {
  let file: FileHandle | undefined;
  try {
    // Not following links: what stood here a moment ago may have been swapped for one. Not waiting on a pipe either.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (!stat.isFile()) return { ok: false, rule: "is not a regular file", retryable: false };
    if (stat.size > roomBytes) return tooLarge;
    const content = await file.readFile({ signal: AbortSignal.timeout(limits.attachmentTimeoutMs) });
    return content.length > roomBytes ? tooLarge : { ok: true, content };
  } catch (error) {
    const code = codeOf(error);
    return { ok: false, rule: `cannot be read (${code})`, retryable: !finalCodes.has(code) };
  } finally {
    await file?.close();
  }
}

/** One GET without redirects: a redirect would lead past the list of hosts. */
async function readHref(href: string, limits: MessageLimits, roomBytes: number): Promise<Read> {
  const url = checkHref(href, limits.attachmentHosts);
  if (!url.ok) return { ...url, retryable: false };
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), limits.attachmentTimeoutMs);
  try {
    const response = await fetch(url.value, { redirect: "manual", signal: abort.signal });
    if (response.status !== 200) {
      const retryable = response.status >= 500 || response.status === 429 || response.status === 408;
      return { ok: false, rule: `was answered with HTTP status ${response.status}`, retryable };
    }
    return await readBody(response, roomBytes);
  } catch (error) {
    const rule = abort.signal.aborted
      ? `took longer than ${limits.attachmentTimeoutMs} ms`
      : `cannot be fetched (${codeOf(error)})`;
    return { ok: false, rule, retryable: true };
  } finally {
    clearTimeout(timer);
    abort.abort(); // ends a body that was not read to its end
  }
}

async function readBody(response: Response, roomBytes: number): Promise<Read> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.length;
    if (sizeBytes > roomBytes) return tooLarge;
    chunks.push(chunk);
  }
  return { ok: true, content: Buffer.concat(chunks) };
}

async function realPathOf(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch {
    return null;
  }
}

/** The code of an error of Node, without its message: that could hold a path or a URL. */
function codeOf(error: unknown): string {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } };
  return String(cause?.code ?? code ?? "no code");
}
