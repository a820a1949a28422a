import { describe, expect, test } from "vitest";
import type { Message, MessageParts } from "../../../../src/core/index.ts";
import { declinesFrom, declinesParts, mailBody } from "../../../../providers/sendgrid/mapping.ts";
import type { MailBody, MappingSettings } from "../../../../providers/sendgrid/mapping.ts";
import { box, file, messageWith, partsWith } from "./messages.ts";

const defaults: MappingSettings = {
  from: {},
  categoriesFromTags: true,
  customArgs: {},
  sandbox: false,
  tracking: "account",
};

function body(
  parts: Partial<MessageParts> = {},
  settings: Partial<MappingSettings> = {},
  more: Partial<Message> = {},
): MailBody {
  const message = messageWith(parts, more);
  return mailBody(message, partsWith(parts), message.envelope.rcptTo, { ...defaults, ...settings });
}

test("a plain message", () => {
  expect(body()).toEqual({
    personalizations: [
      {
        to: [{ email: "ada@example.com", name: "Ada" }],
        custom_args: { mailover_id: "01HMAILOVER", message_id: "<01HMAILOVER@contoso.com>" },
      },
    ],
    from: { email: "noreply@contoso.com", name: "Contoso" },
    subject: "Hello",
    content: [{ type: "text/plain", value: "Hi Ada" }],
    headers: { "Message-ID": "<01HMAILOVER@contoso.com>", "X-Mailover-Id": "01HMAILOVER" },
  });
});

describe("From and Reply-To", () => {
  test("a mapped From keeps its name, and answers go to the app's own", () => {
    const { from, reply_to } = body({}, { from: { "contoso.com": "mail@send.contoso.com" } });
    expect(from).toEqual({ email: "mail@send.contoso.com", name: "Contoso" });
    expect(reply_to).toEqual({ email: "noreply@contoso.com", name: "Contoso" });
  });

  test("a mapped From does not touch the app's own Reply-To", () => {
    const { reply_to } = body({ replyTo: [box("help@contoso.com")] }, { from: { "*": "mail@send.contoso.com" } });
    expect(reply_to).toEqual({ email: "help@contoso.com" });
  });

  test("several go as a list, each once", () => {
    const sent = body({ replyTo: [box("a@contoso.com"), box("b@contoso.com"), box("A@contoso.com")] });
    expect(sent.reply_to).toBeUndefined();
    expect(sent.reply_to_list?.map(({ email }) => email.toLowerCase())).toEqual(["a@contoso.com", "b@contoso.com"]);
  });

  test("a domain beyond ASCII goes as Punycode, a local part beyond it is declined unless it is mapped", () => {
    expect(body({ from: box("info@例え.jp") }).from).toEqual({ email: "info@xn--r8jz45g.jp" });
    expect(declinesFrom(box("info@例え.jp"), defaults)).toBeNull();
    expect(declinesFrom(box("情報@contoso.com"), defaults)).toMatch(/no From address with characters beyond ASCII/);
    expect(declinesFrom(box("情報@contoso.com"), { from: { "contoso.com": "info@contoso.com" } })).toBeNull();
  });
});

describe("content", () => {
  const calendar = { method: "request", filename: null, content: "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n" };

  test("text, HTML and calendar stand in the API's order", () => {
    expect(body({ text: "t", html: "<p>h</p>", calendar }).content.map(({ type }) => type)).toEqual([
      "text/plain",
      "text/html",
      "text/calendar; method=REQUEST",
    ]);
  });

  test("a calendar goes as a file as well, but not twice where the message is raw", () => {
    expect(body({ calendar }).attachments).toMatchObject([{ filename: "invite.ics", type: "application/ics" }]);
    expect(body({ calendar }, {}, { parts: null }).attachments).toBeUndefined();
  });

  test("what is empty is left out, and something is always there", () => {
    expect(body({ text: "", html: "<p>h</p>" }).content).toEqual([{ type: "text/html", value: "<p>h</p>" }]);
    expect(body({ text: null }).content).toEqual([{ type: "text/plain", value: " " }]);
  });

  test("an empty subject gets words", () => {
    expect(body({ subject: " " }).subject).toBe("(no subject)");
  });
});

describe("attachments", () => {
  test("content, name, bare type, disposition and Content-ID", () => {
    const attachments = [
      file("請求書.pdf", "%PDF", { contentType: "application/pdf; charset=binary" }),
      file("logo.png", "png", { contentType: "image/png", cid: "logo@contoso", disposition: "inline" }),
    ];
    expect(body({ attachments }).attachments).toEqual([
      { content: "JVBERg==", filename: "請求書.pdf", type: "application/pdf", disposition: "attachment" },
      { content: "cG5n", filename: "logo.png", type: "image/png", disposition: "inline", content_id: "logo@contoso" },
    ]);
  });

  test("a name is found where there is none, and cleared of what the API refuses", () => {
    const attachments = [file("a;b,c.txt", "x"), { ...file("", "x"), filename: null, contentType: null }];
    expect(body({ attachments }).attachments).toEqual([
      { content: "eA==", filename: "a_b_c.txt", type: "application/octet-stream", disposition: "attachment" },
      { content: "eA==", filename: "attachment-2", disposition: "attachment" },
    ]);
  });
});

describe("categories", () => {
  test("come from tags: ASCII, each once, ten at most, 255 characters at most", () => {
    const tags = ["a", "a", "領収書", "", "x".repeat(300), ...Array.from({ length: 20 }, (_, index) => `t${index}`)];
    const categories = body({}, {}, { tags }).categories ?? [];
    expect(categories).toHaveLength(10);
    expect(categories.slice(0, 3)).toEqual(["a", "x".repeat(255), "t0"]);
  });

  test("are left out where the setting says so", () => {
    expect(body({}, { categoriesFromTags: false }, { tags: ["a"] }).categories).toBeUndefined();
  });
});

describe("settings", () => {
  test("sandbox", () => {
    expect(body({}, { sandbox: true }).mail_settings).toEqual({ sandbox_mode: { enable: true } });
  });

  test("tracking off switches every kind off", () => {
    const kinds = Object.values(body({}, { tracking: "off" }).tracking_settings ?? {});
    expect(kinds.map(({ enable }) => enable)).toEqual(Array.from({ length: 4 }, () => false));
  });

  test("custom arguments cannot displace Mailover's own", () => {
    const [personalization] = body({}, { customArgs: { env: "test", mailover_id: "other" } }).personalizations;
    expect(personalization?.custom_args).toMatchObject({ env: "test", mailover_id: "01HMAILOVER" });
  });
});

describe("declined, with the reason", () => {
  test.each<[what: string, parts: Partial<MessageParts>, reason: RegExp]>([
    ["an empty attachment", { attachments: [file("a.txt", "")] }, /empty attachments: a\.txt/],
    ["a message", { attachments: [file("a.eml", "x", { contentType: "message/rfc822" })] }, /a message .*a\.eml/],
    ["a Content-ID the API refuses", { attachments: [file("a.png", "x", { cid: "a;b" })] }, /Content-ID/],
    ["a header twice", { headers: ["X-A", "x-a"].map((name) => ({ name, value: "1" })) }, /x-a comes twice/],
  ])("%s", (_what, parts, reason) => {
    expect(declinesParts(partsWith(parts))).toMatch(reason);
  });

  test("not an ordinary message", () => {
    expect(declinesParts(partsWith({ attachments: [file("a.txt", "x")] }))).toBeNull();
  });
});
