import { CAUSES, classify } from "../../src/core/index.ts";
import type {
  Capabilities,
  Declination,
  Evidence,
  Failure,
  Lookup,
  Message,
  Outcome,
  Provider,
  ProviderContext,
  Refusal,
  SendOptions,
  SoughtMessage,
  Stage,
  Transmission,
  Verification,
} from "../../src/core/index.ts";
import { activityQuery, activityTrouble, judgeActivity, MAX_ROWS } from "./activity.ts";
import { SendGridApi } from "./api.ts";
import type { ApiResult } from "./api.ts";
import { sendgridRules } from "./classify.ts";
import { readFailure, restOf } from "./evidence.ts";
import type { FailedRequest } from "./evidence.ts";
import { declinesFrom, declinesParts, mailBody } from "./mapping.ts";
import { rawParts } from "./raw-mapping.ts";
import { rawObstacle } from "./raw-structure.ts";
import { refusedRecipients } from "./refused-recipients.ts";
import { lacksMailSend } from "./scopes.ts";
import type { SendGridSettings } from "./settings.ts";

/** What a request to send came to. */
type Posted = Pick<Extract<Outcome, { kind: "relayed" }>, "remoteId" | "reply" | "restMs"> | FailedRequest;

/** SendGrid's v3 API as a provider. */
export class SendGridProvider implements Provider {
  readonly name: string;
  readonly kind = "sendgrid";
  readonly capabilities: Capabilities;
  /** Only with `emailActivity`. */
  readonly lookup?: NonNullable<Provider["lookup"]>;
  readonly #settings: SendGridSettings;
  readonly #context: ProviderContext;
  readonly #api: SendGridApi;

  constructor(name: string, settings: SendGridSettings, context: ProviderContext) {
    this.name = name;
    this.capabilities = {
      maxMessageBytes: settings.maxMessageBytes,
      maxRecipients: settings.maxRecipients,
      maxConnections: settings.connections,
      // What of it the API cannot carry is for `declines` to say.
      raw: true,
    };
    this.#settings = settings;
    this.#context = context;
    this.#api = new SendGridApi(settings);
    if (settings.emailActivity) {
      this.lookup = (message, recipients, attemptedAt, { signal }) =>
        this.#lookup(message, recipients, attemptedAt, signal);
    }
  }

  declines(message: Message): Declination | null {
    const fromObstacle = declinesFrom(message.from, this.#settings);
    if (fromObstacle !== null) return { cause: "sender", reason: fromObstacle };
    const obstacle = message.parts === null ? rawObstacle(message) : declinesParts(message.parts);
    return obstacle === null ? null : { cause: "content", reason: obstacle };
  }

  async send({ message, recipients }: Transmission, options: SendOptions): Promise<Outcome> {
    const parts = message.parts ?? (await rawParts(message));
    const obstacle = typeof parts === "string" ? parts : declinesParts(parts);
    if (typeof parts === "string" || obstacle !== null) return failed(unmapped(obstacle), []);
    const refused: Refusal[] = [];
    let waiting = recipients;
    // Asked here, since the socket does not wait: what follows may leave at once.
    if (!(await committed(options))) return failed(classify(sendgridRules, NOT_COMMITTED), []);
    // Ends, since each request names fewer recipients than the one before.
    for (;;) {
      const body = mailBody(message, parts, waiting, this.#settings);
      const posted = this.#read(await this.#api.sendMail(body, options));
      if ("reply" in posted) return { kind: "relayed", ...posted, refused };
      const failure = classify(sendgridRules, posted.evidence);
      if (failure.scope !== "recipient") return failed(failure, refused);
      const refusals = refusedRecipients(sendgridRules, posted, body, waiting);
      refused.push(...refusals);
      waiting = waiting.filter((recipient) => !refusals.some((refusal) => refusal.recipient === recipient));
      if (waiting.length === 0) return failed(failure, refused);
      if (refusals.length === 0) return failed(unclear(failure, waiting), refused);
    }
  }

  async verify(options: SendOptions): Promise<Verification> {
    const stages: Stage[] = [];
    const onStage = (stage: Stage): void => {
      stages.push(stage);
      options.onStage(stage);
    };
    const result = await this.#api.scopes({ ...options, onStage });
    const failure = result.ok ? lacksMailSend(result.body) : this.#unverified(result);
    return failure === null ? { ok: true, stages } : { ok: false, stages, failure };
  }

  async #lookup(
    message: SoughtMessage,
    recipients: readonly string[],
    attemptedAt: number,
    signal: AbortSignal,
  ): Promise<Lookup> {
    const options = { signal, onStage: () => {} };
    const result = await this.#api.messages(activityQuery(message), MAX_ROWS, options);
    if (result.ok && result.exchange.head?.httpStatus === 200) {
      const absentAfterMs = this.#settings.absentAfterMs ?? null;
      return judgeActivity(result.body, recipients, attemptedAt, this.#context.clock(), absentAfterMs);
    }
    return { kind: "unknown", reason: activityTrouble(this.#failure(result).evidence) };
  }

  close(): Promise<void> {
    return this.#api.close();
  }

  /**
   * The status is the answer, even where the connection broke after it. A 200 means "not queued" outside the sandbox, and
   * is what a proxy's own page has; SendGrid's id proves the contrary.
   */
  #read(result: ApiResult): Posted {
    const { head } = result.exchange;
    if (head === null) return this.#failure(result);
    const { httpStatus, headers } = head;
    const remoteId = headers["x-message-id"];
    const sandboxed = httpStatus === 200 && this.#settings.sandbox;
    const taken = httpStatus === 202 || (httpStatus === 200 && remoteId !== undefined);
    if (!taken && !sandboxed) return this.#failure(result);
    const restMs = restOf(headers, this.#context.clock());
    return {
      remoteId: typeof remoteId === "string" ? remoteId : null,
      reply: `HTTP ${httpStatus}${sandboxed ? " (sandbox: nothing is sent)" : ""}`,
      ...(restMs === null ? {} : { restMs }),
    };
  }

  #failure(result: ApiResult): FailedRequest {
    return readFailure(result, { apiKey: this.#settings.apiKey, clock: this.#context.clock });
  }

  /** A check carries no mail: where its answer is lost nothing is uncertain, and it failed like a connection. */
  #unverified(result: ApiResult): Failure {
    const { evidence } = this.#failure(result);
    const stage = evidence.httpStatus === undefined ? "connect" : evidence.stage;
    return { ...classify(sendgridRules, { ...evidence, stage }), stage: evidence.stage };
  }
}

function failed(failure: Failure, refused: readonly Refusal[]): Outcome {
  return { kind: CAUSES[failure.cause].kind, failure, refused };
}

const NOT_COMMITTED = {
  stage: "queue",
  errorCode: "ABORTED",
  text: "the attempt was stopped before its request",
} as const satisfies Evidence;

async function committed({ commit }: SendOptions): Promise<boolean> {
  return commit === undefined || commit().catch(() => false);
}

/** A message that turned out, on its way to the API, to have no form there. Another provider may take it. */
function unmapped(obstacle: string | null): Failure {
  return {
    cause: "content",
    scope: "message",
    status: "5.6.1",
    reason: obstacle ?? "SendGrid's API has no form for this message",
    stage: "queue",
    rule: null,
    elsewhere: true,
  };
}

/** A refusal of one address among several that does not say which: the others must not bounce for it. */
function unclear(failure: Failure, recipients: readonly string[]): Failure {
  return recipients.length === 1 ? failure : { ...failure, cause: "content", scope: "message", elsewhere: true };
}
