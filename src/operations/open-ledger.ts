import { createSecretKey } from "node:crypto";
import { HashedLedger } from "../ledger/hashed-ledger.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { RedisLedger } from "../ledger/redis-ledger.ts";
import type { RedisClient } from "../redis/connection.ts";
import { hashAddress, hashAddressesIn } from "../submission/index.ts";

/** The ledger in a Redis. With a key, 32 bytes in base64, it holds addresses hashed, as its gateways must be set to, too. */
export function openLedger(redis: RedisClient, addressKey: string | null): Ledger {
  const ledger = new RedisLedger(redis, Date.now);
  if (addressKey === null) return ledger;
  const key = createSecretKey(Buffer.from(addressKey, "base64"));
  return new HashedLedger(ledger, {
    address: (address) => hashAddress(address, key),
    text: (text) => hashAddressesIn(text, key),
  });
}
