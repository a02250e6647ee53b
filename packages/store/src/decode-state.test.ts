import { createHash } from "node:crypto";
import fc from "fast-check";
import { Packr, pack as packAny } from "msgpackr";
import { describe, expect, test } from "vitest";
import { sampleInstance, sampleState } from "../test/support/sample-state.ts";
import { storeErrorOf } from "../test/support/store-error.ts";
import { decodeState } from "./decode-state.ts";
import { encodeState } from "./encode-state.ts";
import { encodeEnvelope } from "./state-envelope.ts";
import { StoreError } from "./store-error.ts";

const plain = new Packr({ useRecords: false });
const withBody = (body: unknown, version = 1) =>
  encodeEnvelope({ version, body: plain.pack(body) });

function codeOf(bytes: Uint8Array): string {
  try {
    decodeState(bytes);
    return "decoded";
  } catch (error) {
    if (error instanceof StoreError) return error.code;
    throw error;
  }
}

describe("a damaged file", () => {
  const file = encodeState(sampleState(5, 4));

  test("is recognised when cut at any length", () => {
    for (let length = 0; length < file.length; length++) {
      expect(codeOf(file.subarray(0, length)), `cut at ${length}`).toBe("UNREADABLE");
    }
    expect(codeOf(file)).toBe("decoded");
  });

  test("is recognised when any bit is flipped", () => {
    for (let bit = 0; bit < file.length * 8; bit++) {
      const damaged = Buffer.from(file);
      damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(codeOf(damaged), `bit ${bit}`).toBe("UNREADABLE");
    }
  });

  test("is recognised when bytes are appended or a block is zeroed", () => {
    expect(codeOf(Buffer.concat([file, file]))).toBe("UNREADABLE");
    expect(codeOf(Buffer.from(file).fill(0, 512, 1024))).toBe("UNREADABLE");
    expect(codeOf(Buffer.alloc(4096))).toBe("UNREADABLE");
  });
});

describe("a file that is whole but strange", () => {
  test("of a future version is told apart from damage, whatever its body", async () => {
    for (const body of [sampleState(1), { other: true }, "text"]) {
      const error = await storeErrorOf(() => decodeState(withBody(body, 2)));
      expect(error.code).toBe("FUTURE_VERSION");
      expect(error.message).toContain("version 2");
    }
    const odd = encodeEnvelope({ version: 9, body: Buffer.from("not MessagePack") });
    expect(codeOf(odd)).toBe("FUTURE_VERSION");
  });

  test.each([
    ["an extension that makes an error", new Error("made by msgpackr")],
    ["a regular expression", /a+/],
    ["a date", new Date(0)],
    ["undefined", undefined],
    ["binary", Buffer.from("x")],
    ["a number", 1],
    ["nil", null],
    ["a list", []],
    ["an empty map", {}],
    ["an instance that is none", { ...sampleState(1, 0), instances: [{ id: 1 }] }],
    [
      "two instances with one id",
      { ...sampleState(1, 0), instances: [sampleInstance(1), sampleInstance(1)] },
    ],
  ])("whose body is %s is not a state", (_, body) => {
    expect(codeOf(withBody(body))).toBe("UNREADABLE");
  });

  test("whose body holds msgpackr's records, which it compiles, is not a state", () => {
    const body = packAny([{ a: 1 }, { a: 2 }]);
    const records = new Packr({ useRecords: true }).pack(sampleState(1));
    expect(codeOf(encodeEnvelope({ version: 1, body: records }))).toBe("UNREADABLE");
    expect(codeOf(encodeEnvelope({ version: 1, body }))).toBe("UNREADABLE");
  });

  test("with a field more or less outside is not a state file", () => {
    const body = plain.pack(sampleState(1));
    const sha256 = createHash("sha256").update("nodepass-state 1\n").update(body).digest();
    const envelope = { format: "nodepass-state", version: 1, sha256, body };
    expect(codeOf(plain.pack(envelope))).toBe("decoded");
    expect(codeOf(plain.pack({ ...envelope, more: 1 }))).toBe("UNREADABLE");
    expect(codeOf(plain.pack({ ...envelope, format: "other" }))).toBe("UNREADABLE");
    const { sha256: _, ...unchecked } = envelope;
    expect(codeOf(plain.pack(unchecked))).toBe("UNREADABLE");
    expect(codeOf(plain.pack({ ...envelope, sha256: sha256.subarray(0, 16) }))).toBe("UNREADABLE");
  });

  test("loses fields that this program does not know", () => {
    const { state } = decodeState(withBody({ ...sampleState(1), later: true }));
    expect(state).toStrictEqual(sampleState(1));
  });

  test("does not name its secrets in the error", async () => {
    const body = { ...sampleState(1), apiKey: "", instances: [{ ...sampleInstance(1), url: 7 }] };
    const error = await storeErrorOf(() => decodeState(withBody(body)));
    expect(error.message).toContain("apiKey");
    expect(error.message).toContain("instances.0.url");
  });
});

describe("an older version", () => {
  /** Version 0 never was: a list of URLs and a key under other names. */
  const file = withBody({ id: "0123456789abcdef", key: "k", urls: ["server://:1/:2"] }, 0);
  const fromZero = (body: unknown) => {
    const old = body as { id: string; key: string; urls: string[] };
    const instances = old.urls.map((url, index) => ({ ...sampleInstance(index), url }));
    return { version: 1, masterId: old.id, alias: "", apiKey: old.key, instances };
  };

  test("goes through its migration", () => {
    const { state, version } = decodeState(file, { 0: fromZero });
    expect(version).toBe(0);
    expect(state).toMatchObject({ version: 1, apiKey: "k" });
    expect(state.instances[0]?.url).toBe("server://:1/:2");
  });

  test("is unreadable without a migration, or if that throws or makes no state", async () => {
    const migrations = [
      {},
      { 0: () => Promise.reject(new Error("never")).catch(() => undefined) },
      { 0: () => ({ version: 1 }) },
      {
        0: () => {
          throw new TypeError("urls is undefined");
        },
      },
    ];
    for (const each of migrations) {
      expect((await storeErrorOf(() => decodeState(file, each))).code).toBe("UNREADABLE");
    }
  });
});

describe("random input", () => {
  const codes = ["UNREADABLE", "FUTURE_VERSION"];

  test("ends in a StoreError, as bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(codes).toContain(codeOf(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  test("ends in a StoreError, as the body of a whole file", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(3), (body, version) => {
        expect(codes).toContain(codeOf(encodeEnvelope({ version, body })));
      }),
      { numRuns: 2000 },
    );
  });

  test("ends in a StoreError, as any value that msgpackr can write", () => {
    const values = fc.anything({
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withBigInt: true,
      withNullPrototype: true,
      maxDepth: 5,
    });
    fc.assert(
      fc.property(values, (value) => {
        let body: Uint8Array;
        try {
          body = packAny(value);
        } catch {
          return; // msgpackr cannot write it (a huge bigint, a function): nothing to read.
        }
        expect(codes).toContain(codeOf(encodeEnvelope({ version: 1, body })));
      }),
      { numRuns: 1500 },
    );
  });

  test("in several places of a good file ends in a StoreError", () => {
    const file = encodeState(sampleState(3));
    const edit = fc.tuple(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(fc.uniqueArray(edit, { selector: ([at]) => at, minLength: 1 }), (edits) => {
        const damaged = Buffer.from(file);
        for (const [at, mask] of edits) damaged.writeUInt8(damaged.readUInt8(at) ^ mask, at);
        expect(codeOf(damaged)).toBe("UNREADABLE");
      }),
      { numRuns: 1000 },
    );
  });
});
