import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { GoStateError } from "./go-state-error.ts";
import { decodeGob } from "./gob/decode-gob.ts";
import { readGoState } from "./read-go-state.ts";

const fixture = (name: string) =>
  readFileSync(new URL(`../test/fixtures/${name}`, import.meta.url));

const VERSIONS = ["1.14", "2.0.0-b10"];

/** What the master's API answered when the file was written. */
interface Answered {
  readonly id: string;
  readonly url: string;
  readonly config: string;
  readonly alias: string;
  readonly status: string;
  readonly [name: string]: unknown;
}

test.each(VERSIONS)("a state of NodePass %s is what its API answered", (version) => {
  const state = readGoState(fixture(`nodepass-${version}.gob`));
  const answers = JSON.parse(fixture(`nodepass-${version}.json`).toString()) as Answered[];
  const master = answers.find(({ id }) => id === "********");
  expect(state.apiKey).toBe(master?.url);
  // NodePass 2 beta answers no id before its second start.
  if (master?.config !== "") expect(state.masterId).toBe(master?.config);
  const rest = answers.filter(({ id }) => id !== "********");
  expect(state.instances.map(({ id }) => id).sort()).toEqual(rest.map(({ id }) => id).sort());
  for (const answer of rest) {
    const record = state.instances.find(({ id }) => id === answer.id);
    for (const name of ["alias", "type", "url", "restart", "meta"]) {
      expect([name, record?.[name as "alias"]]).toEqual([name, answer[name]]);
    }
    for (const name of ["tcprx", "tcptx", "udprx", "udptx"] as const) {
      expect([name, record?.[name]]).toEqual([name, answer[name]]);
    }
  }
});

test.each(VERSIONS)("a state of NodePass %s cut anywhere is an error, never half a state", (v) => {
  const whole = fixture(`nodepass-${v}.gob`);
  for (let length = 0; length < whole.length; length++) {
    expect(() => readGoState(whole.subarray(0, length))).toThrow(GoStateError);
  }
});

test("a changed byte gives a state or an error of ours, and never hangs", () => {
  const whole = fixture("nodepass-1.14.gob");
  for (let at = 0; at < whole.length; at++) {
    for (const bit of [1, 0x80, 0xff]) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8(damaged.readUInt8(at) ^ bit, at);
      try {
        expect(readGoState(damaged).apiKey).not.toBe("");
      } catch (error) {
        expect(error).toBeInstanceOf(GoStateError);
      }
    }
  }
});

test("bytes behind the value are an error", () => {
  const whole = fixture("nodepass-1.14.gob");
  expect(() => readGoState(Buffer.concat([whole, Buffer.from([1, 2])]))).toThrow(
    expect.objectContaining({ code: "GOB_INVALID" }),
  );
});

test.each([
  ["a string", "0003060c0000", "GOB_INVALID"],
  ["an int", "03040014", "GO_STATE_INVALID"],
  ["a complex number", "030e0000", "GOB_UNSUPPORTED"],
  ["a type of its own that is not described", "0340ff00", "GOB_INVALID"],
])("%s is no state", (_what, hex, code) => {
  expect(() => readGoState(Buffer.from(hex, "hex"))).toThrow(expect.objectContaining({ code }));
});

test("integers of every length", () => {
  // From the description of the format: 7 is 07, 256 is fe 01 00; -129 is fe 01 01.
  expect(decodeGob(Buffer.from("0304000e", "hex"))).toBe(7n);
  expect(decodeGob(Buffer.from("050400fe0101", "hex"))).toBe(-129n);
  expect(decodeGob(Buffer.from("050600fe0100", "hex"))).toBe(256n);
  expect(decodeGob(Buffer.from("0b0600f8ffffffffffffffff", "hex"))).toBe(2n ** 64n - 1n);
  // 17.0 is the example of the format's description.
  expect(decodeGob(Buffer.from("050800fe3140", "hex"))).toBe(17);
});
