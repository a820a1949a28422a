import assert from "node:assert/strict";
import type { Message, MessageParts } from "../../core/index.ts";
import { CONTENT_MARK, RECIPIENT, bytes, largeSample, sample } from "../samples.ts";
import type { ConformanceCase, ConformanceSubject, Received } from "../subject.ts";
import { Trial } from "../trial.ts";

/** Lines that SMTP has to treat with care: dots in front (RFC 5321 4.5.2), 998 characters, spaces at the end. */
const AWKWARD_LINES = [
  ".",
  "..",
  ".hidden",
  "",
  " .",
  "x".repeat(998),
  `.${"y".repeat(997)}`,
  "space at the end ",
  "",
  ".",
];

export function contentCases(subject: ConformanceSubject): readonly ConformanceCase[] {
  const arrives = (name: string, make: () => Promise<Message>): ConformanceCase => ({
    name: `content: ${name}`,
    run: () =>
      Trial.run(subject, { impatient: false }, async (trial) => {
        const message = await make();
        assert.equal(trial.provider.declines(message), null);
        assertSame(await trial.relay(message), message);
      }),
  });
  const of = (data: Readonly<Record<string, unknown>>) => () => sample(subject.from, data);
  return [
    arrives("text alone", of({})),
    arrives(
      "Japanese subject, names, text and file name",
      of({
        from: { name: "株式会社コントソ", address: subject.from },
        to: { name: "山田花子", address: RECIPIENT },
        subject: "【重要】ご注文の確認：第１２３号、およびお届け予定日のお知らせ",
        text: `こんにちは、花子さん。\n🎌 ${CONTENT_MARK}\n`,
        html: "<p>こんにちは、花子さん。</p>",
        attachments: [
          { filename: "請求書（十一月）.pdf", content: bytes(1_000).toString("base64"), encoding: "base64" },
        ],
      }),
    ),
    arrives("lines that begin with dots, and long ones", of({ text: AWKWARD_LINES.join("\n") })),
    arrives("an attachment of 10 MB", () => largeSample(subject.from)),
    arrives("To, Cc and hidden Bcc", of({ cc: "taro@example.com", bcc: ["ichiro@example.com", "jiro@example.com"] })),
    {
      name: "content: finished MIME with 8-bit text, dots and long lines, or none is taken at all",
      run: () =>
        Trial.run(subject, { impatient: false }, async (trial) => {
          if (!trial.provider.capabilities.raw) return;
          const text = [`Grüße aus Köln, 日本語 ${CONTENT_MARK}`, ...AWKWARD_LINES, "ende: ü"];
          const message = await rawSample(subject.from, text);
          assert.equal(trial.provider.declines(message), null);
          const { content } = await trial.relay(message);
          if (content.kind === "mime") assert.ok(content.bytes.equals(message.mime), "the bytes changed on their way");
          else assert.equal(lines(content.text), text.join("\n"), "the text changed on its way");
        }),
    },
    {
      name: "content: the null sender, as bounces and automatic replies have it",
      run: () =>
        Trial.run(subject, { impatient: false }, async (trial) => {
          const composed = await sample(subject.from);
          const message = { ...composed, envelope: { ...composed.envelope, mailFrom: "" } };
          const { content } = await trial.relay(message);
          if (content.kind === "mime") assert.equal(content.mailFrom, "");
        }),
    },
  ];
}

function rawSample(from: string, text: readonly string[]): Promise<Message> {
  const header = [
    `From: ${from}`,
    `To: ${RECIPIENT}`,
    "Subject: Raw",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
  ];
  const raw = {
    content: Buffer.from([...header, "", ...text, ""].join("\r\n")).toString("base64"),
    encoding: "base64",
  };
  return sample(from, { raw, envelope: { from, to: [RECIPIENT] } });
}

/** MIME must arrive byte for byte; where it was mapped to something else, each part must be equal. */
function assertSame({ content, recipients, messageId, mailoverId }: Received, message: Message): void {
  const { parts } = message;
  assert.deepEqual(new Set(recipients), new Set(message.envelope.rcptTo));
  assert.equal(messageId, message.messageId);
  assert.equal(mailoverId, message.id);
  if (content.kind === "mime") {
    assert.ok(content.bytes.equals(message.mime), "the bytes changed on their way");
    assert.equal(content.mailFrom, message.envelope.mailFrom);
    return;
  }
  assert.ok(parts !== null);
  assert.deepEqual(content.from, parts.from);
  assert.deepEqual(content.to, parts.to);
  assert.equal(content.subject, parts.subject);
  assert.equal(lines(content.text), lines(parts.text));
  assert.equal(lines(content.html), lines(parts.html));
  assertFiles(content.files, parts.attachments);
}

/** Compared by hand: a difference in megabytes is nothing to print. */
function assertFiles(
  files: readonly { readonly filename: string; readonly content: Buffer }[],
  attachments: MessageParts["attachments"],
): void {
  assert.deepEqual(
    files.map(({ filename }) => filename),
    attachments.map(({ filename }) => filename),
  );
  for (const [index, { filename, content }] of files.entries()) {
    assert.ok(attachments[index]?.content.equals(content), `the content of ${filename} changed on its way`);
  }
}

/** Text in lines that end in LF, and without a last empty one: which form of them goes out is the provider's affair. */
function lines(text: string | null): string | null {
  return text === null ? null : text.replaceAll("\r\n", "\n").replace(/\n$/, "");
}
