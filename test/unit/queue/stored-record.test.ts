import { expect, test } from "vitest";
import { readRecord } from "../../../src/queue/stored-record.ts";
import { Desk } from "../delivery/round-of.ts";

const { record } = new Desk([]);

test("a record comes back as it was, with what a later version added", () => {
  expect(readRecord(JSON.parse(JSON.stringify(record)), "m1")).toEqual(record);
  expect(readRecord({ ...record, colour: "red" }, "m1")).toEqual({ ...record, colour: "red" });
});

test.each([[0], [null], ["half"], [[]], [{ percent: 7 }], [{ ...record, id: "m2" }]])(
  "%j is no record of this message",
  (progress) => expect(readRecord(progress, "m1")).toBeNull(),
);

test("one that cannot be read is told apart from none: the message may have been relayed", () => {
  expect(() => readRecord({ ...record, status: "relayed-in-part" }, "m1")).toThrow(/a later version's/);
  expect(() => readRecord({ ...record, recipients: "ann" }, "m1")).toThrow(/a later version's/);
});
