#!/usr/bin/env node
import { Command, Option } from "commander";
import { MESSAGE_CLASSES } from "../core/index.ts";

/** Each command's code is loaded when it is called: a health check must not load the lab. */
const program = new Command("mailover")
  .description("A mail gateway that keeps mail flowing when a provider fails.")
  .showHelpAfterError()
  .configureHelp({ sortSubcommands: true });

const list = (value: string, before: string[] = []): string[] => [
  ...before,
  ...value.split(",").map((part) => part.trim()),
];
const each = (value: string, before: string[] = []): string[] => [...before, value];

program
  .command("start")
  .description("run the gateway on the configuration of NODE_ENV")
  .action(async () => (await import("./start.ts")).start());

program
  .command("send")
  .description("push a message and follow it to its end")
  .requiredOption("--to <addresses>", "recipients, separated by commas; may be given several times", each)
  .option("--from <address>", "From; the mailbox of the first microsoft365 provider when absent")
  .option("--cc <addresses>", "copies", each)
  .option("--bcc <addresses>", "blind copies", each)
  .option("--subject <text>", "subject", "")
  .option("--text <text>", "plain text")
  .option("--html <html>", "HTML")
  .option("--attach <file>", "a file; may be given several times", each)
  .addOption(new Option("--class <class>", "class of the message").choices(MESSAGE_CLASSES))
  .option("--provider <names>", "only these providers, in this order", list)
  .option("--no-wait", "do not follow it")
  .action(async (options) => (await import("./send.ts")).send(options));

program
  .command("config")
  .description("print the configuration in force, each value with where it came from, secrets hidden")
  .option("--check", "print nothing but errors; exit code 78 when there are any")
  .option("--json", "as JSON")
  .action(async (options) => (await import("./config.ts")).config(options));

program
  .command("verify")
  .description("check providers stage by stage, without sending mail")
  .argument("[provider...]", "names; all when absent")
  .action(async (names) => (await import("./verify.ts")).verify(names));

program
  .command("providers")
  .description("how each provider stands, how much mail it gets, what is left of its limits, and what to type")
  .option("--json", "as JSON")
  .action(async (options) => (await import("./providers.ts")).showProviders(options));

program
  .command("route")
  .description("which providers a message would go to now, and why; nothing is sent")
  .requiredOption("--from <address>", "From")
  .option("--to <addresses>", "recipients, separated by commas; may be given several times", list)
  .addOption(new Option("--class <class>", "class of the message").choices(MESSAGE_CLASSES))
  .option("--tenant <name>", "its tenant")
  .option("--tag <tag>", "one of its tags; may be given several times", each)
  .option("--providers <names>", "only these providers, in this order, as a message's own field", list)
  .option("--size <bytes>", "its size as MIME")
  .option("--raw", "a message that an app finished itself, as MIME")
  .option("--json", "as JSON")
  .action(async (options) => (await import("./route.ts")).route(options));

program
  .command("explain")
  .description("say what a reply or an error means, what Mailover does about it, and how to mend it")
  .argument(
    "<reply>",
    "an SMTP reply, a line of a log, a JSON error, or a code such as AADSTS7000222; - reads standard input",
  )
  .option("--provider <kind>", "kind of provider it came from")
  .option("--stage <stage>", "stage of the attempt it came in, such as auth, mail, rcpt, reply")
  .option("--json", "as JSON")
  .action(async (reply, options) => (await import("./explain.ts")).explainReply(reply, options));

program
  .command("health")
  .description("whether Redis answers and a worker of this host is connected; for container health checks")
  .action(async () => (await import("./health.ts")).health());

program
  .command("demo")
  .description("break Microsoft 365 in several ways and watch every mail arrive; needs nothing but Node")
  .option("--plain", "lines in place of the live picture")
  .action(async (options) => (await import("./demo.ts")).demo(options));

/** As in src/lab, which is loaded only when it is called. */
const LAB_SERVER_NAMES = "entra, exchange, sendgrid, relay or graph";

const lab = program
  .command("lab")
  .description("stand-ins for Entra ID, Exchange Online, Graph, SendGrid and a relay, on this machine");
lab
  .command("start", { isDefault: true })
  .description("run them until Ctrl-C")
  .action(async () => (await import("./lab.ts")).startLabServers());
lab
  .command("status")
  .description("their ports, faults and what they accepted")
  .action(async () => (await import("./lab.ts")).showLab());
lab
  .command("break")
  .description('set a fault, e.g. mailover lab break exchange \'{"kind":"silence","at":"mail"}\'')
  .argument("<server>", LAB_SERVER_NAMES)
  .argument("<fault>", "JSON, or just the kind: refuse")
  .action(async (server, fault) => (await import("./lab.ts")).breakServer(server, fault));
lab
  .command("mend")
  .description("take the faults of a server away")
  .argument("<server>", LAB_SERVER_NAMES)
  .action(async (server) => (await import("./lab.ts")).mendServer(server));

const webhooks = program.command("webhooks").description("endpoints that are told of what becomes of messages");
webhooks
  .command("list", { isDefault: true })
  .description("what waits for each endpoint, and what was given up")
  .action(async () => (await import("./webhooks.ts")).showWebhooks());
webhooks
  .command("replay")
  .description("try again, now, what was given up or waits to be tried again")
  .option("--since <time>", "only events of the last so many minutes, hours or days: 1h")
  .option("--endpoint <name>", "only this endpoint's")
  .action(async (options) => (await import("./webhooks.ts")).replayWebhooks(options));

program
  .command("trace")
  .description("the log of one message: each attempt at each provider, replies word for word, who did what")
  .argument("<message>", "id of its job, its own id (X-Mailover-Id), or its Message-ID")
  .action(async (name) => (await import("./trace.ts")).trace(name));

program
  .command("held")
  .description("messages that a provider may have accepted, and that nobody sends again by itself")
  .action(async () => (await import("./held.ts")).showHeld());

program
  .command("release")
  .description("let a held message go on at the provider that may have it: maybe as a second copy")
  .argument("<message>", "id of its job, or its own id")
  .action(async (name) => (await import("./held.ts")).release(name));

program
  .command("drop")
  .description("end a held message: it is not sent again")
  .argument("<message>", "id of its job, or its own id")
  .requiredOption("--reason <text>", "why; it stands in the ledger")
  .action(async (name, options) => (await import("./held.ts")).drop(name, options));

program
  .command("cancel")
  .description("end a message that waits, whether a worker has had it or not")
  .argument("<message>", "id of its job, or its own id")
  .requiredOption("--reason <text>", "why; it stands in the ledger")
  .action(async (name, options) => (await import("./cancel.ts")).cancel(name, options));

program
  .command("drain")
  .description("keep mail from a provider until it is resumed; attempts under way end")
  .argument("<provider>", "its name in the configuration")
  .requiredOption("--reason <text>", "why; it stands in the log of changes")
  .option("--for <time>", "end by itself after so many minutes, hours or days: 2h")
  .option("--all-mail-waits", "also where it is the last provider that is not drained")
  .action(async (provider, options) => (await import("./control.ts")).drain(provider, options));

program
  .command("resume")
  .description("let mail go to a drained provider again")
  .argument("<provider>", "its name in the configuration")
  .option("--reason <text>", "why; it stands in the log of changes")
  .action(async (provider, options) => (await import("./control.ts")).resume(provider, options));

program
  .command("forget")
  .description("offer a provider the From addresses again that it refused, before their time is over")
  .argument("<provider>", "its name in the configuration")
  .action(async (provider) => (await import("./forget.ts")).forget(provider));

program
  .command("prefer")
  .description("put a provider before all others")
  .argument("[provider]", "its name in the configuration")
  .option("--reason <text>", "why; it stands in the log of changes")
  .option("--for <time>", "end by itself after so many minutes, hours or days: 2h")
  .option("--none", "the configured order again")
  .action(async (provider, options) => (await import("./control.ts")).prefer(provider, options));

program
  .command("weight")
  .description("change a provider's share among those of its priority")
  .argument("<provider>", "its name in the configuration")
  .argument("<weight>", "a whole number from 1, or configured: as the configuration has it")
  .requiredOption("--reason <text>", "why; it stands in the log of changes")
  .option("--for <time>", "end by itself after so many minutes, hours or days: 2h")
  .action(async (provider, weight, options) => (await import("./control.ts")).weight(provider, weight, options));

program
  .command("changes")
  .description("what was changed at run time: the latest first, by whom and why")
  .option("--limit <count>", "so many at most", "20")
  .action(async (options) => (await import("./control.ts")).changes(options));

program
  .command("rollback")
  .description("undo one change: what it touched is as it was before it")
  .argument("<version>", "of the change, as mailover changes shows it")
  .requiredOption("--reason <text>", "why; it stands in the log of changes")
  .option("--all-mail-waits", "also where no provider is left then")
  .action(async (version, options) => (await import("./control.ts")).rollback(version, options));

program
  .command("cutover")
  .description("move mail to another provider step by step, and back by itself where it goes badly")
  .option("--to <provider>", "where it is to go")
  .option("--steps <percents>", "share of the mail, step by step, the last of them 100", "5,25,50,100")
  .option("--every <time>", "least time of each step", "10m")
  .option("--guard-errors <percent>", "go back when more of it fails there", "2%")
  .option(
    "--guard-delay <time>",
    "go back when more than 5 % of it is accepted later than this after it was due",
    "30s",
  )
  .option("--at-least <count>", "a step waits until it has seen so many messages", "50")
  .addOption(new Option("--class <class>", "only mail of this class").choices(MESSAGE_CLASSES))
  .option("--tenant <name>", "only mail of this tenant")
  .option("--sender-domain <domain>", "only mail from this domain; *.contoso.com: from those below it")
  .option("--recipient-domain <domain>", "only mail to this domain; *.contoso.com: to those below it")
  .option("--tag <tag>", "only mail with this tag")
  .option("--reason <text>", "why; it stands in the log of changes")
  .option("--status", "say how far each cutover is, and what it waits for")
  .option("--stop", "take a cutover back, under way or done: its mail goes as configured")
  .action(async (options) => (await import("./cutover.ts")).cutover(options));

program
  .command("generate", { hidden: true })
  .description("write the files that are made from the code: schema/ and tables in docs/")
  .action(async () => (await import("./generate.ts")).generate());

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
