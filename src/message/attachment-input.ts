import type { AttachmentSource } from "../core/message.ts";
import { checkHref } from "./attachment-href.ts";
import { decodeContent } from "./content.ts";
import type { MessageLimits } from "./limits.ts";
import type { Parsed, Report } from "./problem.ts";
import type { AttachmentInput } from "./schema.ts";
import { filenameProblem, headerTextProblem, isAscii } from "./text.ts";

// RFC 2045 5.1: type/subtype of token characters, then parameters.
const mediaType = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}\s*(?:;.{0,500})?$/;

/** Reads the attachments of a message. Files and URLs are checked as far as that goes without opening them. */
export function parseAttachments(
  inputs: readonly AttachmentInput[],
  limits: MessageLimits,
  report: Report,
): AttachmentSource[] {
  if (inputs.length > limits.maxAttachments) report("attachments", `has more than ${limits.maxAttachments} items`);
  return inputs.flatMap((input, index) => {
    const field = `attachments[${index}]`;
    checkWords(field, input, report);
    const parsed = parseSource(input, limits);
    if (!parsed.ok) {
      report(`${field}${parsed.at}`, parsed.rule);
      return [];
    }
    const source = parsed.value;
    return [
      {
        filename: input.filename?.trim() || defaultName(source, input.contentType, index),
        contentType: input.contentType?.trim() ?? null,
        cid: input.cid === undefined ? null : bareContentId(input.cid),
        disposition: input.contentDisposition ?? (input.cid === undefined ? "attachment" : "inline"),
        source,
      },
    ];
  });
}

function checkWords(field: string, input: AttachmentInput, report: Report): void {
  const badName = filenameProblem(input.filename ?? "");
  if (badName !== null) report(`${field}.filename`, badName);
  const type = input.contentType?.trim();
  if (type !== undefined && (!isAscii(type) || !mediaType.test(type) || headerTextProblem(type) !== null)) {
    report(`${field}.contentType`, "is not a media type such as application/pdf");
  } else if (type !== undefined && /^multipart\//i.test(type)) {
    report(`${field}.contentType`, "is multipart, which an attachment cannot be");
  }
  if (input.cid !== undefined && !/^[!-;=?-~]{1,500}$/.test(bareContentId(input.cid))) {
    report(`${field}.cid`, "is not a Content-ID: printable ASCII without spaces");
  }
}

type SourceResult = Parsed<AttachmentSource["source"]> & { readonly at?: string };

function parseSource(input: AttachmentInput, limits: MessageLimits): SourceResult {
  const given = [input.content, input.path, input.href].filter((value) => value !== undefined);
  if (given.length !== 1) return { ok: false, at: "", rule: "needs exactly one of content, path and href" };
  if (input.content !== undefined) {
    const content = decodeContent(input.content, input.encoding);
    if (!content.ok) return { ...content, at: ".content" };
    return { ok: true, value: { kind: "content", content: content.value } };
  }
  const at = input.path === undefined ? ".href" : ".path";
  const place = input.path ?? input.href ?? "";
  // nodemailer takes a URL as path as well.
  if (at === ".href" || /^https?:/i.test(place)) {
    const href = checkHref(place, limits.attachmentHosts);
    return href.ok ? { ok: true, value: { kind: "href", href: href.value.href } } : { ...href, at };
  }
  if (/^[a-z][a-z\d+.-]+:/i.test(place)) return { ok: false, at, rule: "is a URL: only a file path is taken here" };
  if (place === "" || place.includes("\0")) return { ok: false, at, rule: "is not a file path" };
  if (limits.attachmentFolders.length === 0) {
    return { ok: false, at, rule: "cannot be read: this worker has no allowed attachment folder" };
  }
  return { ok: true, value: { kind: "path", path: place } };
}

/** The last part of a path or URL. Content of a known type is left to be named for its type when it is composed. */
function defaultName(
  source: AttachmentSource["source"],
  contentType: string | undefined,
  index: number,
): string | null {
  if (source.kind === "content") {
    const isKnown = contentType !== undefined && !/^application\/octet-stream/i.test(contentType.trim());
    return isKnown ? null : `attachment-${index + 1}.bin`;
  }
  const path = source.kind === "path" ? source.path : decodePath(new URL(source.href).pathname);
  const name = path.split(/[/\\]/).at(-1) ?? "";
  return name === "" || filenameProblem(name) !== null ? null : name;
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // a stray % in a URL is no reason to refuse it
  }
}

function bareContentId(cid: string): string {
  return cid.trim().replace(/^<(.*)>$/, "$1");
}
