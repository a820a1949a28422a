import { defaultLimits } from "../../src/message/index.ts";
import { MessageIndex } from "../../src/operations/message-index.ts";
import type { MessagesParts } from "../../src/operations/messages.ts";
import { openLedger } from "../../src/operations/open-ledger.ts";
import { createKeyring } from "../../src/submission/index.ts";
import type { KeyringSettings } from "../../src/submission/index.ts";
import type { Scene } from "./gateway.ts";

/** What an operator's commands work with, on the store of a scene. */
export function messagesParts(
  scene: Scene,
  { encryption = {}, addressKey = null }: { encryption?: KeyringSettings; addressKey?: string | null } = {},
): MessagesParts {
  return {
    queue: scene.queue,
    ledger: openLedger(scene.redis, addressKey),
    index: new MessageIndex(scene.redis),
    queueName: "mail",
    keyring: createKeyring(encryption),
    limits: defaultLimits,
    keepMs: 3_600_000,
    idempotencyMs: 7_200_000,
    giveUpAfterMs: () => 72 * 3_600_000,
  };
}
