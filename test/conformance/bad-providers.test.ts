import { describe, expect, test } from "vitest";
import { conformanceCases, createAuthority } from "../../src/testing/index.ts";
import { sample } from "../../src/testing/samples.ts";
import type { ConformanceCase, ConformanceSubject } from "../../src/testing/index.ts";
import { attempts, failures, messages, never, outcomes, spoil } from "./bad-providers.ts";
import type { Badness } from "./bad-providers.ts";
import { smtpSubject } from "./smtp-subject.ts";

const subject = smtpSubject(await createAuthority(), { tls: "none", auth: "plain" });
const testMail = await sample(subject.from, { to: "postmaster@example.com" });

/** What a bad provider does, the case of the suite that must find it, and what it says. */
const bad: readonly [what: string, badness: Badness, found: RegExp, by: RegExp][] = [
  [
    "throws where an attempt fails",
    (good) => ({
      send: async (...attempt) => {
        const outcome = await good.send(...attempt);
        if (outcome.kind === "relayed") return outcome;
        throw new Error("could not send");
      },
    }),
    /^auth: a refusal is/,
    /send\(\) threw: Error: could not send/,
  ],
  [
    "throws before it has made a promise",
    () => ({
      send: () => {
        throw new Error("at once");
      },
    }),
    /^success: a message is relayed/,
    /send\(\) threw: Error: at once/,
  ],
  ["says uncertain before the content", failures(() => ({ cause: "uncertain" })), /^mail: a connection/, /uncertain/],
  [
    "says that the content was out when it was not",
    failures(() => ({ cause: "uncertain", stage: "reply" })),
    /^mail: a connection/,
    /lost in mail/,
  ],
  [
    "says deferred after the content",
    failures(() => ({ cause: "outage", scope: "provider" })),
    /^reply: a connection that is lost after/,
    /deferred, lost in stage reply/,
  ],
  [
    "says deferred when it is stopped after the content",
    failures(() => ({ cause: "outage" })),
    /^abort: while the server is silent in stage reply/,
    /deferred, broken off in stage reply/,
  ],
  [
    "puts the secret into a reason",
    failures(({ reason }, { secrets }) => ({ reason: `${reason} (${secrets.join()})` })),
    /^auth: a refusal is/,
    /holds secret number 1/,
  ],
  [
    "puts the secret into a remedy, in base64",
    failures((_failure, { secrets }) => ({
      remedy: Buffer.from(`AUTH PLAIN \0contoso\0${secrets[0]}`).toString("base64"),
    })),
    /^auth: a refusal is/,
    /holds secret number 1/,
  ],
  [
    "hides the secret in a property that JSON leaves out",
    outcomes((outcome, { secrets }) =>
      Object.defineProperty({ ...outcome }, "config", { value: { authorization: secrets }, enumerable: false }),
    ),
    /^auth: a refusal is/,
    /holds secret number 1/,
  ],
  [
    "puts the content into a reason",
    (good) => ({
      send: async (transmission, options) => {
        const outcome = await good.send(transmission, options);
        if (outcome.kind === "relayed") return outcome;
        const reason = transmission.message.mime.toString();
        return { ...outcome, failure: { ...outcome.failure, reason } };
      },
    }),
    /^mail: a refusal is/,
    /holds secret number 2/,
  ],
  [
    "writes the secret into its notices",
    (_good, bench) => {
      bench.logged = () => bench.secrets.join();
      return {};
    },
    /^success: a message is relayed/,
    /a notice holds secret number 1/,
  ],
  [
    "ignores the abort",
    attempts((transmission, options) => [transmission, { ...options, signal: never }]),
    /^abort: while the server is silent in stage mail/,
    /did not end within/,
  ],
  [
    "sends what was stopped before it began",
    attempts((transmission, options) => [transmission, { ...options, signal: never }]),
    /^abort: an attempt that was stopped before it began/,
    /relayed/,
  ],
  [
    "does not ask before the content goes out",
    attempts((transmission, { signal, onStage }) => [transmission, { signal, onStage }]),
    /^commit: it is asked/,
    /asked 0 times/,
  ],
  [
    "sends all the same where it was told not to",
    attempts((transmission, { signal, onStage }) => [transmission, { signal, onStage }]),
    /^commit: refused, nothing is sent$/,
    /relayed/,
  ],
  [
    "sends mail in verify()",
    (good, { received }) => ({
      verify: async (options) => {
        await good.send({ message: testMail, recipients: testMail.envelope.rcptTo }, options);
        expect(received()).toHaveLength(1);
        return good.verify(options);
      },
    }),
    /^verify\(\): a provider that works/,
    /verify\(\) sent mail/,
  ],
  [
    "throws in verify()",
    () => ({ verify: () => Promise.reject(new Error("no")) }),
    /^verify\(\): refuse in stage auth/,
    /verify\(\) threw: Error: no/,
  ],
  [
    "says that it works when it does not",
    () => ({ verify: async () => ({ ok: true, stages: ["connect"] }) }),
    /^verify\(\): refuse in stage auth/,
    /it works, in spite of/,
  ],
  [
    "sends each message twice",
    (good) => ({
      send: async (...attempt) => {
        await good.send(...attempt);
        return good.send(...attempt);
      },
    }),
    /^success: a message is relayed/,
    /took it 2 times/,
  ],
  [
    "says relayed and sends nothing",
    () => ({ send: async () => ({ kind: "relayed", remoteId: null, reply: "250 OK", refused: [] }) }),
    /^success: a message is relayed/,
    /took it 0 times/,
  ],
  [
    "says deferred of what was relayed",
    outcomes((outcome) =>
      outcome.kind === "relayed"
        ? {
            kind: "deferred",
            failure: { cause: "busy", scope: "provider", status: "4.3.0", reason: "?", stage: "mail", rule: null },
            refused: [],
          }
        : outcome,
    ),
    /^success: a kept connection that was lost/,
    /expected relayed|copies/,
  ],
  [
    "does not say who was refused",
    outcomes((outcome) => ({ ...outcome, refused: [] })),
    /^recipients: one is refused/,
    /it went to others than the outcome says/,
  ],
  [
    "gives up on all where one is refused",
    (good) => ({
      send: async (transmission, options) => {
        const outcome = await good.send(transmission, options);
        const [refusal] = outcome.refused;
        return refusal === undefined
          ? outcome
          : { kind: "rejected", failure: refusal.failure, refused: outcome.refused };
      },
    }),
    /^recipients: one is refused/,
    /'rejected' !== 'relayed'|rejected/,
  ],
  [
    "sends to all in the header, whoever is asked for",
    attempts(({ message }, options) => [{ message, recipients: message.envelope.rcptTo }, options]),
    /^recipients: only those of the attempt/,
    /it went to others/,
  ],
  [
    "drops spaces at the ends of lines",
    messages((mime) => mime.replaceAll(/ \r\n/g, "\r\n")),
    /^content: finished MIME/,
    /bytes changed/,
  ],
  [
    "loses leading dots",
    messages((mime) => mime.replaceAll("\r\n.", "\r\n")),
    /^content: finished MIME/,
    /bytes changed/,
  ],
  [
    "makes up a Message-ID at each attempt",
    messages((mime) => mime.replace(/^Message-ID: .*$/im, `Message-ID: <${Math.random()}@example.net>`)),
    /^success: the same message twice/,
    /differs/,
  ],
  ["gives no reason", failures(() => ({ reason: "" })), /^mail: a refusal is/, /the reason is empty/],
  ["names a rule that it has not", failures(() => ({ rule: "no-such-rule" })), /^mail: a refusal is/, /no rule of/],
  ["gives a reply code as status", failures(() => ({ status: "550" as never })), /^mail: a refusal is/, /RFC 3463/],
  ["calls every stage connect", failures(() => ({ stage: "connect" })), /^mail: a refusal is/, /the stage of/],
  [
    "gives a kind that is not its cause's",
    outcomes((outcome) => (outcome.kind === "relayed" ? outcome : { ...outcome, kind: "rejected" })),
    /^mail: a refusal is/,
    /follows from its cause/,
  ],
  [
    "reports no stages",
    attempts((transmission, { signal }) => [transmission, { signal, onStage: () => {} }]),
    /^success: a message is relayed/,
    /no stage was reported/,
  ],
  [
    "reports stages backwards",
    attempts((transmission, { signal, onStage }) => [
      transmission,
      { signal, onStage: (stage) => (onStage(stage), stage === "mail" && onStage("dns")) },
    ]),
    /^success: a message is relayed/,
    /stages went back/,
  ],
  ["leaves its connections open", () => ({ close: async () => {} }), /^close\(\): ends kept/, /ended all connections/],
  [
    "throws when it is closed again",
    (good) => {
      let closed = false;
      return {
        close: () => {
          if (closed) throw new Error("closed already");
          closed = true;
          return good.close();
        },
      };
    },
    /^close\(\): ends kept/,
    /closed already/,
  ],
  [
    "runs more at once than it says",
    (good) => ({ capabilities: { ...good.capabilities, maxConnections: good.capabilities.maxConnections - 1 } }),
    /^concurrency: those beyond/,
    /comes to stage queue|connections/,
  ],
  [
    "thinks long about whether it declines",
    () => ({
      declines: () => {
        const endAt = performance.now() + 300;
        while (performance.now() < endAt);
        return null;
      },
    }),
    /^declines/,
    /declines\(\) took/,
  ],
  [
    "changes the message in declines()",
    () => ({ declines: (message) => (message.mime.fill(0x20, 0, 1), null) }),
    /^declines/,
    /it changed the message/,
  ],
];

describe("the suite finds a provider that", () => {
  test.each(bad)("%s", async (_what, badness, name, message) => {
    await expect(theCase(spoil(subject, badness), name).run()).rejects.toThrow(message);
  });
});

describe("the provider that they are made of passes", () => {
  const names = [...new Set(bad.map(([, , name]) => theCase(subject, name).name))];
  test.each(names)("%s", async (name) => {
    await conformanceCases(subject)
      .find((each) => each.name === name)
      ?.run();
  });
});

function theCase(subject: ConformanceSubject, name: RegExp): ConformanceCase {
  const [found, ...others] = conformanceCases(subject).filter((each) => name.test(each.name));
  if (found === undefined || others.length > 0) throw new Error(`${name} is not the name of one case`);
  return found;
}
