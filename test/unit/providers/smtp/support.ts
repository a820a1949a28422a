import type { Message, SendOptions, Stage } from "../../../../src/core/index.ts";
import { smtpTimeouts } from "../../../../providers/settings.ts";
import { smtpRules } from "../../../../providers/smtp/classify.ts";
import { SmtpTransport } from "../../../../providers/smtp/transport.ts";
import type { SmtpTransportOptions } from "../../../../providers/smtp/transport.ts";

export const MIME = Buffer.from(
  "From: App <app@contoso.test>\r\nTo: ann@example.test\r\nSubject: Hello\r\nMessage-ID: <1@mailover.test>\r\n\r\nHello\r\n",
);

export function message(mime: Buffer = MIME, mailFrom = "app@contoso.test"): Message {
  return {
    id: "m1",
    messageId: "<1@mailover.test>",
    date: new Date(0),
    envelope: { mailFrom, rcptTo: ["ann@example.test"] },
    from: { name: "App", address: "app@contoso.test" },
    class: "transactional",
    tags: [],
    tenant: null,
    metadata: {},
    parts: null,
    mime,
  };
}

/** Content of so many bytes in lines of 80. */
export function largeMime(sizeBytes: number): Buffer {
  const line = `${"x".repeat(78)}\r\n`;
  return Buffer.concat([MIME, Buffer.from(line.repeat(Math.ceil(sizeBytes / line.length)))]);
}

/** Options that note each stage, and can stop the attempt when one begins. */
export function watching(stopAt?: Stage): SendOptions & { readonly stages: Stage[] } {
  const controller = new AbortController();
  const stages: Stage[] = [];
  return {
    stages,
    signal: controller.signal,
    onStage: (stage) => {
      stages.push(stage);
      if (stage === stopAt) setImmediate(() => controller.abort());
    },
  };
}

export function transportTo(
  server: { readonly host: string; readonly port: number },
  options: Partial<SmtpTransportOptions> = {},
): SmtpTransport {
  return new SmtpTransport({
    host: server.host,
    port: server.port,
    tls: "none",
    ca: null,
    minTlsVersion: "TLSv1.2",
    servername: null,
    ehloName: "mailover.test",
    credentials: null,
    rules: smtpRules,
    timeouts: smtpTimeouts.parse({}),
    maxConnections: 10,
    idleMs: 30_000,
    messagesPerConnection: 100,
    ...options,
  });
}
