import { expect, test } from "vitest";
import { printConfig } from "../../../src/config/index.ts";
import { createKeyring, seal, unseal } from "../../../src/submission/index.ts";
import { errorsOf, loaded, project, RELAY } from "../config/project.ts";
import { keyring, keyText, message, stored } from "./messages.ts";

const keys = JSON.stringify({ "2026-11": keyText(1), "2026-12": keyText(2) });

test("a keyring is what the configuration holds, from a file of JSON", () => {
  const file = `${project({ "keys.json": `${keys}\n` })}/keys.json`;
  const { config } = loaded(
    { "config/development.yaml": `${RELAY}encryption: { primary: 2026-12 }\n` },
    { MAILOVER_ENCRYPTION_KEYS_FILE: file },
  );
  const configured = createKeyring(config.encryption);
  expect(unseal(stored(seal(message, keyring)), configured)).toEqual({ ok: true, data: message });
  expect(seal(message, configured, config.encryption)).toMatchObject({
    to: message.to,
    sealed: { key: "2026-12" },
  });
});

test("nothing is sealed unless told", () => {
  const { config } = loaded({ "config/development.yaml": RELAY });
  expect(seal(message, createKeyring(config.encryption), config.encryption)).toBe(message);
});

test("keys are shown to nobody, and missed in files that others may read", () => {
  const { config, sources, isSecret, warnings } = loaded(
    { "config/development.yaml": `${RELAY}encryption: { keys: ${keys} }\n` },
    { MAILOVER_LEDGER_ADDRESS_KEY: keyText(3) },
  );
  const shown = printConfig(config, sources, { format: "json", isSecret });
  expect(shown).toContain('"encryption.keys.2026-11"');
  expect(shown).toContain('"ledger.addressKey"');
  expect([1, 2, 3].filter((byte) => shown.includes(keyText(byte)))).toEqual([]);
  expect(warnings).toEqual(
    ["2026-11", "2026-12"].map((id) =>
      expect.objectContaining({ path: ["encryption", "keys", id], text: expect.stringContaining("is a secret") }),
    ),
  );
});

test("addresses are not said to be sealed where nothing is", () => {
  expect(errorsOf({ "config/development.yaml": `${RELAY}encryption: { addresses: true }\n` })).toEqual([
    "config/development.yaml: encryption.addresses: true needs a key that seals: set encryption.primary and encryption.keys",
  ]);
});
