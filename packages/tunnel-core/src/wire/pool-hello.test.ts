import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createHelloWriter,
  HELLO_BYTES,
  HELLO_WINDOW_COUNTERS,
  HelloWindow,
  parseHello,
  poolId,
  verifyHello,
} from "./pool-hello.ts";

interface Vector {
  readonly session: string;
  readonly sessionKey: string;
  readonly counter: number;
  readonly id: string;
  readonly bytes: string;
}

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL("../../test/vectors/pool-hello.json", import.meta.url), "utf8"),
);

const session = Buffer.from("0102030405060708", "hex");
const key = Buffer.alloc(32, 7);
const hello = () => createHelloWriter(session, key)(5);
const invalid = expect.objectContaining({ code: "HELLO_INVALID" });

test.each(vectors)("vector: session $session, counter $counter", (vector) => {
  const sessionKey = Buffer.from(vector.sessionKey, "hex");
  const write = createHelloWriter(Buffer.from(vector.session, "hex"), sessionKey);
  const bytes = Buffer.from(vector.bytes, "hex");
  expect(write(vector.counter).toString("hex")).toBe(vector.bytes);
  expect(bytes.length).toBe(HELLO_BYTES);
  const parsed = parseHello(bytes);
  expect(parsed).toMatchObject({ session: vector.session, counter: vector.counter });
  expect(parsed && verifyHello(parsed, sessionKey)).toBe(true);
  expect(poolId(vector.counter)).toBe(vector.id);
});

describe("createHelloWriter", () => {
  test("gives each hello its own buffer", () => {
    const write = createHelloWriter(session, key);
    const first = write(1);
    const copy = Buffer.from(first);
    write(2);
    expect(first).toEqual(copy);
  });

  test("refuses session ids and counters of the wrong size", () => {
    expect(() => createHelloWriter(Buffer.alloc(7), key)).toThrow(invalid);
    const write = createHelloWriter(session, key);
    for (const counter of [-1, 1.5, Number.NaN, 2 ** 32]) {
      expect(() => write(counter)).toThrow(invalid);
    }
  });
});

describe("parseHello", () => {
  test("waits for every byte and leaves what follows alone", () => {
    const bytes = Buffer.concat([hello(), Buffer.from("data")]);
    for (let end = 0; end < HELLO_BYTES; end++) {
      expect(parseHello(bytes.subarray(0, end))).toBeUndefined();
    }
    expect(parseHello(bytes)?.counter).toBe(5);
  });

  test("keeps no view of the bytes", () => {
    const bytes = hello();
    const parsed = parseHello(bytes);
    bytes.fill(0);
    expect(parsed && verifyHello(parsed, key)).toBe(true);
  });

  test("refuses other first bytes and versions at once", () => {
    for (let byte = 0; byte < 256; byte++) {
      if (byte !== 0x4e) expect(() => parseHello(Uint8Array.of(byte))).toThrow(invalid);
      if (byte !== 1) expect(() => parseHello(Uint8Array.of(0x4e, byte))).toThrow(invalid);
    }
  });

  test("throws nothing but its error for random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, headed) => {
        if (headed) bytes.set([0x4e, 1].slice(0, bytes.length));
        try {
          const parsed = parseHello(bytes);
          if (parsed !== undefined) expect(verifyHello(parsed, key)).toBe(false);
        } catch (error) {
          expect(error).toEqual(invalid);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

test("verifyHello refuses a hello with any one bit changed, and another key", () => {
  const good = hello();
  for (let bit = 16; bit < HELLO_BYTES * 8; bit++) {
    const changed = Buffer.from(good);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const parsed = parseHello(changed);
    expect(parsed && verifyHello(parsed, key)).toBe(false);
  }
  const parsed = parseHello(good);
  expect(parsed && verifyHello(parsed, Buffer.alloc(32, 8))).toBe(false);
  expect(parsed && verifyHello({ ...parsed, mac: parsed.mac.subarray(1) }, key)).toBe(false);
});

describe("HelloWindow", () => {
  test("admits each counter once, in any order within its width", () => {
    const window = new HelloWindow();
    expect([0, 2, 1, 0, 1, 2, 3].map((counter) => window.admit(counter))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      true,
    ]);
  });

  test("refuses what is too far behind, and takes the last one that is not", () => {
    const window = new HelloWindow();
    expect(window.admit(HELLO_WINDOW_COUNTERS)).toBe(true);
    expect(window.admit(0)).toBe(false);
    expect(window.admit(1)).toBe(true);
    expect(window.admit(1)).toBe(false);
    expect(window.admit(0xffff_ffff)).toBe(true);
    expect(window.admit(0xffff_ffff)).toBe(false);
    expect(window.admit(0xffff_ffff - HELLO_WINDOW_COUNTERS)).toBe(false);
    expect(window.admit(0xffff_ffff - HELLO_WINDOW_COUNTERS + 1)).toBe(true);
  });

  test("refuses what is no counter", () => {
    const window = new HelloWindow();
    for (const counter of [-1, 0.5, Number.NaN, 2 ** 32]) expect(window.admit(counter)).toBe(false);
  });

  test("agrees with a set of all counters used", () => {
    const step = fc.oneof(
      fc.integer({ min: -40, max: 40 }),
      fc.integer({ min: -70_000, max: 70_000 }),
      fc.constantFrom(65_535, 65_536, -65_535, -65_536),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const window = new HelloWindow();
        const used = new Set<number>();
        let highest = -1;
        let counter = 0;
        for (const by of steps) {
          counter = Math.max(0, counter + by);
          const expected = !used.has(counter) && highest - counter < HELLO_WINDOW_COUNTERS;
          expect(window.admit(counter)).toBe(expected);
          if (expected) used.add(counter);
          if (expected) highest = Math.max(highest, counter);
        }
      }),
      { numRuns: 500 },
    );
  });
});
