import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createKeyring, isSealed, seal, unseal } from "../../../src/submission/index.ts";
import { anyData, keyring, keyText, message, stored } from "./messages.ts";

/** The sealed part, to be looked at and to be changed. */
type Sealed = { v: unknown; key: unknown; iv: string; tag: string; data: string };

function sealedMessage(): Record<string, unknown> & { sealed: Sealed } {
  return stored(seal(message, keyring)) as Record<string, unknown> & { sealed: Sealed };
}

describe("what is sealed opens again", () => {
  test("to the same JSON, whatever the fields and their order", () => {
    fc.assert(
      fc.property(anyData, fc.boolean(), (data, addresses) => {
        const opened = unseal(stored(seal(data, keyring, { addresses })), keyring);
        expect(opened).toEqual({ ok: true, data });
        expect(JSON.stringify(opened.ok && opened.data)).toBe(JSON.stringify(data));
      }),
      { numRuns: 500 },
    );
  });

  test.each(["認証コードは 845 297 です。", "ÿé", "half a pair: \ud83d", "\u0000"])("in any script: %j", (text) => {
    const data = { to: "bob@fabrikam.com", text };
    expect(unseal(stored(seal(data, keyring)), keyring)).toEqual({ ok: true, data });
  });

  test("twice over", () => {
    const twice = stored(seal(sealedMessage(), keyring));
    const once = unseal(twice, keyring);
    expect(unseal(once.ok && once.data, keyring)).toEqual({ ok: true, data: message });
  });

  test("where the app gave more than JSON knows: as BullMQ would have written it", () => {
    const rich = {
      html: undefined,
      to: "bob@fabrikam.com",
      text: "Hello",
      sendAt: new Date("2026-11-24T12:00:00Z"),
      cc: undefined,
      subject: "Hi",
      attachments: [{ content: Buffer.from("Be good."), cid: undefined }],
    };
    const opened = unseal(stored(seal(rich, keyring)), keyring);
    expect(JSON.stringify(opened.ok && opened.data)).toBe(JSON.stringify(rich));
  });

  test("after the keys were rotated", () => {
    const rotated = createKeyring({ primary: "2026-12", keys: { "2026-11": keyText(1), "2026-12": keyText(2) } });
    expect(unseal(sealedMessage(), rotated)).toEqual({ ok: true, data: message });
    expect(seal(message, rotated)).toMatchObject({ sealed: { key: "2026-12" } });
  });
});

describe("what can be read beside the seal", () => {
  test("is what the queue, routes and operators need", () => {
    const { sealed, ...readable } = sealedMessage();
    expect(Object.keys(readable)).toEqual(["to", "class", "from", "expiresAt", "tags"]);
    expect(Object.keys(sealed)).toEqual(["v", "key", "iv", "tag", "data"]);
  });

  test("is no address where addresses are sealed", () => {
    const text = JSON.stringify(seal(message, keyring, { addresses: true }));
    expect(text).not.toMatch(/bob|contoso|fabrikam/);
    expect(text).toContain('"class":"otp"');
  });

  test("is never of the content", () => {
    fc.assert(
      fc.property(anyData, fc.uuid(), (data, secret) => {
        const text = JSON.stringify(seal({ ...data, subject: secret, text: secret, newField: secret }, keyring));
        expect(text).not.toContain(secret);
      }),
    );
  });

  test("differs in iv and content each time", () => {
    const [one, other] = [sealedMessage().sealed, sealedMessage().sealed];
    expect(one.iv).not.toBe(other.iv);
    expect(one.data).not.toBe(other.data);
  });
});

describe("without a key that seals", () => {
  const opensOnly = createKeyring({ keys: { "2026-11": keyText(1) } });

  test("nothing is sealed", () => {
    expect(seal(message, createKeyring({}))).toBe(message);
    expect(isSealed(seal(message, opensOnly))).toBe(false);
  });

  test("what was sealed still opens", () => {
    expect(unseal(sealedMessage(), opensOnly)).toEqual({ ok: true, data: message });
  });

  test.each([[message], [null], ["text"], [[1]], [undefined]])("what is not sealed comes back as it is: %j", (data) => {
    expect(unseal(data, opensOnly)).toEqual({ ok: true, data });
  });
});

describe("what does not open says why", () => {
  const broken = "does not open: it, or a field beside it, was changed or cut, or another key had this id";
  /** Another first character: what follows the last one's bits may be padding. */
  const flipped = (base64: string) => (base64.startsWith("A") ? "B" : "A") + base64.slice(1);

  const cases: readonly [what: string, data: unknown, problem: string, retryable: boolean][] = [
    [
      "a key that is not here",
      change({ key: "2025-01" }),
      "the content is sealed with key 2025-01, which encryption.keys does not hold",
      true,
    ],
    ["changed content", change({ data: flipped }), `the content sealed with key 2026-11 ${broken}`, false],
    [
      "cut content",
      change({ data: (data: string) => data.slice(0, -8) }),
      `the content sealed with key 2026-11 ${broken}`,
      false,
    ],
    ["no content", change({ data: "" }), `the content sealed with key 2026-11 ${broken}`, false],
    ["a changed tag", change({ tag: flipped }), `the content sealed with key 2026-11 ${broken}`, false],
    ["a changed iv", change({ iv: flipped }), `the content sealed with key 2026-11 ${broken}`, false],
    [
      "another recipient",
      { ...sealedMessage(), to: "eve@fabrikam.com" },
      `the content sealed with key 2026-11 ${broken}`,
      false,
    ],
    [
      "another field beside it",
      { ...sealedMessage(), providers: ["relay"] },
      `the content sealed with key 2026-11 ${broken}`,
      false,
    ],
    [
      "a short tag",
      change({ tag: (tag: string) => Buffer.from(tag, "base64").subarray(0, 4).toString("base64") }),
      "the sealed content is damaged: it (key 2026-11) has no tag of 16 bytes",
      false,
    ],
    [
      "a short iv",
      change({ iv: "AAAA" }),
      "the sealed content is damaged: it (key 2026-11) has no iv of 12 bytes",
      false,
    ],
    ["no data", change({ data: undefined }), "the sealed content is damaged: it (key 2026-11) has no data", false],
    ["a key of any text", change({ key: "a b\n" }), "the sealed content is damaged: it names no key", false],
    ["no object", { ...message, sealed: "yes" }, "the sealed content is damaged: it is not an object", false],
    ["a later form", change({ v: 2 }), "the content is sealed in a form that only a later release can open", true],
  ];
  test.each(cases)("%s", (_, data, problem, retryable) => {
    expect(isSealed(data)).toBe(true);
    expect(unseal(data, keyring)).toEqual({ ok: false, problem, retryable });
  });

  test("a body moved from one job into another", () => {
    const other = stored(seal({ ...message, to: "eve@fabrikam.com" }, keyring));
    const opened = unseal({ ...other, sealed: sealedMessage().sealed }, keyring);
    expect(opened).toMatchObject({ ok: false, problem: expect.stringContaining(broken) });
  });

  test("another key under the same id", () => {
    const other = createKeyring({ primary: "2026-11", keys: { "2026-11": keyText(9) } });
    expect(unseal(sealedMessage(), other)).toMatchObject({ ok: false, problem: expect.stringContaining(broken) });
  });

  test("any one byte of it changed", () => {
    const whole = sealedMessage();
    const bytes = Buffer.from(whole.sealed.data, "base64");
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ mask, at);
        const data = { ...whole, sealed: { ...whole.sealed, data: changed.toString("base64") } };
        expect(unseal(data, keyring).ok).toBe(false);
      }),
    );
  });

  /** The sealed message with parts of its seal replaced. */
  function change(parts: Record<string, unknown>): Record<string, unknown> {
    const whole = sealedMessage();
    const changed = Object.entries(parts).map(([name, to]) => [
      name,
      typeof to === "function" ? (to as (text: string) => string)(String(whole.sealed[name as keyof Sealed])) : to,
    ]);
    return { ...whole, sealed: { ...whole.sealed, ...Object.fromEntries(changed) } };
  }
});

describe("a keyring", () => {
  const cases: readonly [what: string, settings: Parameters<typeof createKeyring>[0], error: string][] = [
    ["names a key that is too short", { keys: { old: "c2hvcnQ=" } }, "key old is not 32 bytes in base64"],
    [
      "names a primary key that is not there",
      { primary: "new", keys: { old: keyText(1) } },
      "the keyring holds no key new, which is to be its primary one",
    ],
  ];
  test.each(cases)("%s", (_, settings, error) => {
    expect(() => createKeyring(settings)).toThrow(new RangeError(error));
  });

  test("shows no key", () => {
    expect(JSON.stringify([...keyring.keys])).not.toContain(keyText(1).slice(0, 8));
  });
});
