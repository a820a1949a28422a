import { beforeEach, expect, test } from "vitest";
import { ConnectionLeases } from "../../../../src/gate/limits/connection-leases.ts";

let now: number;
let leases: ConnectionLeases;

beforeEach(() => {
  now = 1_000_000;
  leases = new ConnectionLeases("worker", 30_000, () => now);
});

function take(): { readonly name: string } {
  const lease = leases.take();
  leases.granted(lease);
  return lease;
}

test("the one used last is used next, so that those in excess grow old and are dropped", () => {
  const [first, second] = [take(), take()];
  leases.ended(second);
  now += 1;
  leases.ended(first);
  for (let i = 0; i < 3; i += 1) {
    now += 10_000;
    expect(leases.take().name).toBe(first.name);
    leases.ended(first);
  }
  expect(leases.sweep()).toEqual({ kept: [first.name], dropped: [second.name] });
});

test("one that is busy is not dropped, however long it is", () => {
  const lease = take();
  now += 3_600_000;
  expect(leases.sweep()).toEqual({ kept: [lease.name], dropped: [] });
});

test("a new one has a name of its own each time, and is not held before it is granted", () => {
  const [first, second] = [leases.take(), leases.take()];
  expect(first.name).not.toBe(second.name);
  expect(leases.count).toBe(0);
  leases.untouched(first);
  leases.ended(first);
  expect(leases.count).toBe(0);
});

test("one that was held and is refused is held no more", () => {
  const lease = take();
  leases.ended(lease);
  leases.refused(leases.take());
  expect(leases.count).toBe(0);
});

test("one that is spared is not used again, and the last one is never spared", () => {
  const [first, second] = [take(), take()];
  leases.ended(first);
  now += 1;
  leases.ended(second);
  leases.spareOne();
  now += 2_000;
  leases.spareOne();
  leases.spareOne();
  expect(leases.take().name).toBe(second.name);
  expect(leases.take().name).not.toBe(first.name);
  now += 30_000;
  expect(leases.sweep()).toEqual({ kept: [second.name], dropped: [first.name] });
});
