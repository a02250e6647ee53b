import { TOTAL_NAMES, type TotalName } from "@nodepass/model";
import fc from "fast-check";
import { unpack } from "msgpackr";
import { describe, expect, test } from "vitest";
import { sampleInstance, sampleState } from "../test/support/sample-state.ts";
import { storeErrorOf } from "../test/support/store-error.ts";
import { decodeState } from "./decode-state.ts";
import { encodeState } from "./encode-state.ts";
import type { MasterState } from "./master-state.ts";

const text = fc.string({ unit: "grapheme" });
const count = fc.maxSafeNat();
// Of every total the same: as many as there are in the table.
const totals = Object.fromEntries(TOTAL_NAMES.map((name) => [name, count])) as Record<
  TotalName,
  fc.Arbitrary<number>
>;
const states: fc.Arbitrary<MasterState> = fc.record({
  version: fc.constant(1 as const),
  masterId: fc.string({
    unit: fc.constantFrom(..."0123456789abcdef"),
    minLength: 16,
    maxLength: 16,
  }),
  alias: text,
  apiKey: fc.string({ minLength: 1 }),
  instances: fc.uniqueArray(
    fc.record({
      id: fc.string({ minLength: 1, unit: "grapheme" }),
      alias: text,
      type: fc.constantFrom("server" as const, "client" as const),
      url: fc.string({ minLength: 1 }),
      restart: fc.boolean(),
      running: fc.boolean(),
      meta: fc.record({
        peer: fc.record({ sid: text, type: text, alias: text }),
        tags: fc.dictionary(
          fc
            .oneof(text, fc.constantFrom("constructor", "toJSON", "hasOwnProperty", "then"))
            // Such a tag is dropped on purpose, see README.md.
            .filter((name) => name !== "__proto__"),
          text,
          { noNullPrototype: true },
        ),
      }),
      ...totals,
      createdAt: fc.option(count, { nil: undefined }),
    }),
    { selector: ({ id }) => id, maxLength: 8 },
  ),
});

describe("encodeState", () => {
  test("makes one MessagePack document that any reader understands", () => {
    const file = unpack(encodeState(sampleState(7, 1)));
    expect(Object.keys(file)).toEqual(["format", "version", "sha256", "body"]);
    expect(file).toMatchObject({ format: "nodepass-state", version: 1 });
    expect(unpack(file.body)).toEqual(sampleState(7, 1));
  });

  test("keeps the layout of version 1, byte for byte", () => {
    const state: MasterState = {
      version: 1,
      masterId: "0123456789abcdef",
      alias: "m",
      apiKey: "k",
      instances: [],
    };
    const body = Buffer.from(
      "85" +
        "a776657273696f6e01" + // version: 1
        "a86d61737465724964b030313233343536373839616263646566" + // masterId
        "a5616c696173a16d" + // alias: m
        "a66170694b6579a16b" + // apiKey: k
        "a9696e7374616e63657390", // instances: []
      "hex",
    );
    expect(Buffer.from(encodeState(state)).toString("hex")).toBe(
      "84" +
        "a6666f726d6174ae6e6f6465706173732d7374617465" + // format: nodepass-state
        "a776657273696f6e01" + // version: 1
        "a6736861323536c420" + // sha256 of "nodepass-state 1\n" and the body
        "e3bd3a22b1ed6673d0f89943294da5c940c5cde6779f4d6e31ac780b7b18d115" +
        `a4626f6479c4${body.length.toString(16)}${body.toString("hex")}`,
    );
  });

  test("brings back every state as it was", () => {
    fc.assert(
      fc.property(states, (state) => {
        const { state: decoded, version } = decodeState(encodeState(state));
        expect(decoded).toEqual(state);
        expect(version).toBe(1);
      }),
      { numRuns: 300 },
    );
  });

  test("leaves out fields that are not part of the state", () => {
    const live = { ...sampleInstance(1), status: "running", pool: 8, createdAt: undefined };
    const { state } = decodeState(encodeState({ ...sampleState(1, 0), instances: [live] }));
    const { createdAt: _, ...kept } = sampleInstance(1);
    expect(state.instances[0]).toStrictEqual(kept);
  });

  test("gives no object a foreign prototype by a tag named __proto__, and drops that tag", () => {
    const tags: Record<string, string> = JSON.parse('{"__proto__":"x","constructor":"y"}');
    const instance = { ...sampleInstance(1), meta: { ...sampleInstance(1).meta, tags } };
    const { state } = decodeState(encodeState({ ...sampleState(1, 0), instances: [instance] }));
    const decoded = state.instances[0]?.meta.tags ?? {};
    expect(Object.entries(decoded)).toEqual([["constructor", "y"]]);
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
  });

  test("gives later results memory of their own", () => {
    const first = encodeState(sampleState(1));
    const copy = Buffer.from(first);
    for (let sequence = 2; sequence < 50; sequence++) encodeState(sampleState(sequence));
    expect(copy.equals(first)).toBe(true);
  });

  const good = sampleState(1);
  test.each([
    [
      "a counter that is not a number",
      { instances: [{ ...sampleInstance(1), tcprx: Number.NaN }] },
    ],
    ["a counter below zero", { instances: [{ ...sampleInstance(1), udptx: -1 }] }],
    ["two instances with one id", { instances: [sampleInstance(1), sampleInstance(1)] }],
    ["a master id that is none", { masterId: "xyz" }],
    ["no key", { apiKey: "" }],
  ])("refuses %s, which a later start would refuse", async (_, wrong) => {
    const error = await storeErrorOf(() => encodeState({ ...good, ...wrong }));
    expect(error.code).toBe("INVALID_STATE");
    expect(error.message).not.toContain(good.apiKey);
  });
});
