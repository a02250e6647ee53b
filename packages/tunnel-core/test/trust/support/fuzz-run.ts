import type { FuzzedDecoder } from "./fuzz-decoders.ts";
import { mutated, Randomness } from "./mutate.ts";

export interface FuzzRunOptions {
  readonly seed: number;
  readonly cases: number;
  /** Stops before all cases are done when this is over, `performance.now()`. */
  readonly until?: number | undefined;
}

/** What a run of one decoder saw. */
export interface FuzzRun {
  readonly cases: number;
  /** Cases that the decoder refused with an error of its own. */
  readonly refused: number;
  /** Longest case, ms. */
  readonly slowestMs: number;
}

/**
 * Feeds a decoder with made-up bytes.
 *
 * @throws {Error} naming decoder, seed and bytes of the first case that raised anything but the
 *   decoder's own error
 */
export function fuzz(decoder: FuzzedDecoder, options: FuzzRunOptions): FuzzRun {
  const random = new Randomness(options.seed);
  const until = options.until ?? Number.POSITIVE_INFINITY;
  let refused = 0;
  let slowestMs = 0;
  let cases = 0;
  for (; cases < options.cases; cases++) {
    const bytes = mutated(random, decoder.good);
    const startedAt = performance.now();
    if (startedAt > until) break;
    try {
      decoder.run(bytes, random);
    } catch (error) {
      if (!decoder.allows(error)) {
        const what = `${decoder.name}: seed ${options.seed}, case ${cases}, ${bytes.toString("hex")}`;
        throw new Error(what, { cause: error });
      }
      refused++;
    }
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
  }
  return { cases, refused, slowestMs };
}
