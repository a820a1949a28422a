import { headerFields } from "./fixture.ts";

export type StatusFields = ReadonlyMap<string, string>;

export type ReadReport = {
  readonly header: ReadonlyMap<string, string>;
  readonly text: string;
  readonly message: StatusFields;
  readonly recipients: readonly StatusFields[];
  /** The original's header, byte for byte. */
  readonly original: Buffer;
};

const dateTime =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d \+0000$/;

/** What RFC 3464 2.2 and 2.3 let stand in a group, with our own fields; "once" must be there. */
type Grammar = Readonly<Record<string, { readonly once: boolean; readonly value: RegExp }>>;

const perMessage: Grammar = {
  "Reporting-MTA": { once: true, value: /^dns; [\w.-]+$/ },
  "Arrival-Date": { once: false, value: dateTime },
  "X-Mailover-Id": { once: false, value: /^[!-~]+$/ },
};

const perRecipient: Grammar = {
  "Final-Recipient": {
    once: true,
    value: /^(?:rfc822; [ -~]+@[!-~]+|utf-8; (?:[!-*,-<>-[\]-~]|\\x\{[0-9A-F]{2,6}\})+)$/,
  },
  Action: { once: true, value: /^failed$/ },
  Status: { once: true, value: /^[45]\.\d{1,3}\.\d{1,3}$/ },
  "Diagnostic-Code": { once: false, value: /^(?:smtp|x-mailover); [ -~]+$/ },
  "Last-Attempt-Date": { once: false, value: dateTime },
  "X-Mailover-Provider": { once: false, value: /^[ -~]+$/ },
};

/** Reads a delivery report and throws wherever it leaves RFC 3464, RFC 6522 or RFC 5322. */
export function readReport(mime: Buffer): ReadReport {
  const whole = mime.toString("latin1");
  for (const line of whole.split("\r\n")) {
    if (/[\r\n]/.test(line)) throw new Error(`a bare line break: ${JSON.stringify(line)}`);
    if (line.length > 998) throw new Error(`a line of ${line.length} octets`);
  }
  const header = fieldsOf(mime);
  const type = /^multipart\/report; report-type=delivery-status; boundary="([\w-]{1,70})"$/;
  const boundary = type.exec(header.get("Content-Type") ?? "")?.[1];
  if (boundary === undefined) throw new Error(`not a report: ${header.get("Content-Type")}`);
  const body = whole.slice(whole.indexOf("\r\n\r\n") + 4);
  const pieces = `\r\n${body}`.split(`\r\n--${boundary}`);
  if (pieces.length !== 5 || pieces[0] !== "" || pieces[4] !== "--\r\n") throw new Error(`${pieces.length} pieces`);
  const [text, status, original] = pieces.slice(1, 4).map((piece) => readPart(piece.slice(2)));
  expectType(text!.type, /^text\/plain; charset=(?:us-ascii|utf-8)$/);
  expectType(status!.type, /^message\/delivery-status$/);
  expectType(original!.type, /^text\/rfc822-headers; charset=(?:us-ascii|utf-8)$/);
  const [message, ...recipients] = readStatus(status!.raw);
  if (message === undefined || recipients.length === 0) throw new Error("no recipient");
  return {
    header,
    text: text!.content.toString(),
    message: checked(message, perMessage),
    recipients: recipients.map((group) => checked(group, perRecipient)),
    original: original!.content,
  };
}

function fieldsOf(mime: Buffer): Map<string, string> {
  const fields = headerFields(mime);
  const map = new Map(fields.map(({ name, value }) => [name, value]));
  if (map.size !== fields.length) throw new Error("a header field that is there twice");
  return map;
}

function readPart(piece: string): { type: string; raw: string; content: Buffer } {
  const fields = fieldsOf(Buffer.from(piece, "latin1"));
  const raw = piece.slice(piece.indexOf("\r\n\r\n") + 4);
  if (/[^\t\r\n -~]/.test(raw)) throw new Error("a part that is not 7bit");
  const encoding = fields.get("Content-Transfer-Encoding");
  if (encoding !== "7bit" && encoding !== "quoted-printable") throw new Error(`encoding ${encoding}`);
  const content = encoding === "7bit" ? raw : decodeQuotedPrintable(raw);
  return { type: fields.get("Content-Type") ?? "", raw, content: Buffer.from(content, "latin1") };
}

function decodeQuotedPrintable(text: string): string {
  for (const line of text.split("\r\n")) {
    if (line.length > 76 || /[ \t]$|=(?![0-9A-F]{2}|$)/.test(line)) throw new Error(`not quoted-printable: ${line}`);
  }
  return text
    .replace(/=\r\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Groups stand apart by one empty line, and no line is of white space alone. */
function readStatus(raw: string): StatusFields[] {
  if (!raw.endsWith("\r\n") || /(?:^|\r\n)[ \t]+(?:\r\n|$)/.test(raw)) throw new Error("a blank line of white space");
  return raw
    .replace(/\r\n$/, "")
    .split("\r\n\r\n")
    .map((group) => fieldsOf(Buffer.from(`${group}\r\n\r\n`, "latin1")));
}

function checked(fields: StatusFields, grammar: Grammar): StatusFields {
  for (const [name, value] of fields) {
    if (grammar[name] === undefined) throw new Error(`the field ${name} has no place here`);
    if (!grammar[name].value.test(value)) throw new Error(`${name} is ${JSON.stringify(value)}`);
  }
  for (const [name, { once }] of Object.entries(grammar)) {
    if (once && !fields.has(name)) throw new Error(`${name} is missing`);
  }
  return fields;
}

function expectType(type: string, want: RegExp): void {
  if (!want.test(type)) throw new Error(`a part of type ${type}`);
}
