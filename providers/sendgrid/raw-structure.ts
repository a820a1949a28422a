import type { Message } from "../../src/core/index.ts";
import { repeatedHeader } from "./headers.ts";
import { parseMimeTree } from "./mime-tree.ts";
import type { MimePart } from "./mime-tree.ts";

/** What the body of a raw message consists of, or why the API cannot express it without loss. */
export type RawStructure =
  | { readonly obstacle: string }
  | { readonly obstacle: null; readonly hasCalendar: boolean; readonly attachmentCount: number };

const known = new WeakMap<Message, RawStructure>();

/** Why the API cannot carry a raw message without loss, or null when it can. Looked at once a message. */
export function rawObstacle(message: Message): string | null {
  return rawStructure(message).obstacle;
}

export function rawStructure(message: Message): RawStructure {
  let structure = known.get(message);
  if (structure === undefined) {
    structure = inspect(message.mime);
    if (structure.obstacle !== null) {
      structure = { obstacle: `SendGrid's API cannot carry this MIME message unchanged: ${structure.obstacle}` };
    }
    known.set(message, structure);
  }
  return structure;
}

function inspect(mime: Buffer): RawStructure {
  const root = parseMimeTree(mime);
  if (root === null) return { obstacle: "its MIME is nested too deeply" };
  if (root.headers.some(({ name }) => /^resent-/i.test(name))) {
    return { obstacle: "it has Resent- headers, whose order matters" };
  }
  const repeated = repeatedHeader(root.headers);
  if (repeated !== null) return { obstacle: `its header ${repeated} comes twice` };
  const inventory: Inventory = { bodies: [], attachmentCount: 0 };
  const obstacle = root.type === "multipart/mixed" ? mixedObstacle(root, inventory) : bodyObstacle(root, inventory);
  if (obstacle !== null) return { obstacle };
  const { bodies, attachmentCount } = inventory;
  return { obstacle: null, hasCalendar: bodies.includes("text/calendar"), attachmentCount };
}

/** What was found so far: the types of the body's alternatives, and the number of attachments. */
type Inventory = { readonly bodies: string[]; attachmentCount: number };

const BODY_TYPES = new Set(["text/plain", "text/html", "text/calendar"]);
const ENCODINGS = new Set(["7bit", "8bit", "binary", "quoted-printable", "base64"]);

/** Attachments, after a body that may be missing. */
function mixedObstacle({ children }: MimePart, inventory: Inventory): string | null {
  for (const [index, child] of children.entries()) {
    const obstacle =
      index === 0 && !isAttachment(child) ? bodyObstacle(child, inventory) : attachmentObstacle(child, inventory);
    if (obstacle !== null) return obstacle;
  }
  return null;
}

/** The body: one text, alternatives of one text, or either with the pictures that belong to it. */
function bodyObstacle(part: MimePart, inventory: Inventory): string | null {
  const [first, ...others] = part.children;
  switch (part.type) {
    case "multipart/alternative":
      return firstOf(part.children.map((child) => () => alternativeObstacle(child, inventory)));
    case "multipart/related":
      if (first === undefined) return "its multipart/related is empty";
      return firstOf([
        () => bodyObstacle(first, inventory),
        ...others.map((other) => () => relatedObstacle(other, inventory)),
      ]);
    default:
      return BODY_TYPES.has(part.type) && !isAttachment(part)
        ? textObstacle(part, inventory)
        : attachmentObstacle(part, inventory);
  }
}

function alternativeObstacle(part: MimePart, inventory: Inventory): string | null {
  if (part.type === "multipart/related") return bodyObstacle(part, inventory);
  if (BODY_TYPES.has(part.type) && !isAttachment(part)) return textObstacle(part, inventory);
  return secured(part) ?? `it has an alternative of type ${part.type}`;
}

function relatedObstacle(part: MimePart, inventory: Inventory): string | null {
  if (!part.headers.some(({ name }) => name.toLowerCase() === "content-id")) {
    return "a part of its multipart/related has no Content-ID";
  }
  return attachmentObstacle(part, inventory);
}

function textObstacle(part: MimePart, inventory: Inventory): string | null {
  if (inventory.bodies.includes(part.type)) return "it has several texts that are no alternatives of each other";
  inventory.bodies.push(part.type);
  if (part.body.includes("-----BEGIN PGP ")) return "it is signed or encrypted with PGP, which a new body would break";
  if (part.charset !== null && !isCharset(part.charset)) return `its charset ${part.charset} is unknown`;
  return encodingObstacle(part);
}

function attachmentObstacle(part: MimePart, inventory: Inventory): string | null {
  if (secured(part) !== null) return secured(part);
  if (part.type.startsWith("multipart/")) return `it holds a ${part.type} among its attachments`;
  if (part.type.startsWith("message/")) return `it holds a ${part.type}, which must not be encoded in base64`;
  if (!isAttachment(part) && (part.type === "text/plain" || part.type === "text/html")) {
    return "it has several texts that are no alternatives of each other";
  }
  if (part.body.length === 0) return "it has an empty attachment";
  inventory.attachmentCount += 1;
  return encodingObstacle(part);
}

function secured({ type }: MimePart): string | null {
  if (type === "multipart/signed") return "it is signed, and a new body would break the signature";
  if (type === "multipart/encrypted" || /^application\/(x-)?pkcs7-mime$/.test(type)) {
    return "it is encrypted or signed as a whole, and has no text that SendGrid could send";
  }
  return null;
}

function encodingObstacle({ encoding }: MimePart): string | null {
  return ENCODINGS.has(encoding) ? null : `its transfer encoding ${encoding} is unknown`;
}

function isAttachment({ disposition }: MimePart): boolean {
  return disposition === "attachment";
}

function isCharset(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== "";
  } catch {
    return false;
  }
}

function firstOf(checks: readonly (() => string | null)[]): string | null {
  for (const check of checks) {
    const obstacle = check();
    if (obstacle !== null) return obstacle;
  }
  return null;
}
