import { describe, expect, test } from "vitest";
import { FUZZED_DECODERS, type FuzzedDecoder } from "./support/fuzz-decoders.ts";
import { fuzz } from "./support/fuzz-run.ts";
import { stateDecoders } from "./support/fuzz-state.ts";
import { Randomness } from "./support/mutate.ts";

// A million cases: packages/tunnel-core/scripts/fuzz.mjs.
const CASES = 1000;
const SEED = 1;

const decoders = [...FUZZED_DECODERS, ...(await stateDecoders())];

/** Whether the decoder takes the bytes; throws what is not an error of its own. */
function takes(decoder: FuzzedDecoder, bytes: Buffer): boolean {
  try {
    decoder.run(bytes, new Randomness(SEED));
    return true;
  } catch (error) {
    if (decoder.allows(error)) return false;
    throw error;
  }
}

describe.each(decoders)("$name", (decoder) => {
  test("takes the good examples, and survives them cut at every position", () => {
    for (const good of decoder.good) {
      expect(takes(decoder, good)).toBe(true);
      for (let cut = 0; cut < good.length; cut++) takes(decoder, good.subarray(0, cut));
    }
  });

  test("takes or refuses whatever comes, with its own error only", () => {
    const run = fuzz(decoder, { seed: SEED, cases: CASES });
    expect(run.cases).toBe(CASES);
    expect(run.refused).toBeLessThan(CASES);
  });
});

test("a case that raises a foreign error is reported with its seed and bytes", () => {
  const broken: FuzzedDecoder = {
    name: "broken",
    good: [Buffer.from("good")],
    run: (bytes) => {
      if (bytes.length > 4) throw new RangeError("out of bounds");
    },
    allows: () => false,
  };
  expect(() => fuzz(broken, { seed: 7, cases: 100 })).toThrow(
    /^broken: seed 7, case \d+, [0-9a-f]+$/,
  );
});
