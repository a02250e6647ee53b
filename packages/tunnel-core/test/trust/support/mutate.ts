/** Random numbers that a seed repeats (mulberry32). */
export class Randomness {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to `below` - 1. */
  next(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  }

  bytes(length: number): Buffer {
    const out = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; at++) out[at] = this.next(256);
    return out;
  }

  one<T>(values: readonly T[]): T {
    const value = values[this.next(values.length)];
    if (value === undefined) throw new Error("nothing to choose from");
    return value;
  }
}

/** Bytes that decoders tend to stumble over. */
const PROVOKING = [
  0x00, 0x01, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x3a, 0x3d, 0x5b, 0x7b, 0x7f, 0x80, 0xff,
];
const MAX_CHANGES = 6;

/**
 * One case: bytes at random, a good one cut somewhere, or a good one changed in a few places.
 *
 * @param good examples that the decoder takes
 */
export function mutated(random: Randomness, good: readonly Buffer[]): Buffer {
  const kind = random.next(10);
  if (kind === 0) return random.bytes(random.next(200));
  let bytes = Buffer.from(random.one(good));
  if (kind === 1) return bytes.subarray(0, random.next(bytes.length + 1));
  for (let left = 1 + random.next(MAX_CHANGES); left > 0; left--) {
    bytes = changed(random, bytes, good);
  }
  return bytes;
}

function changed(random: Randomness, bytes: Buffer, good: readonly Buffer[]): Buffer<ArrayBuffer> {
  const out = Buffer.from(bytes);
  const at = random.next(out.length + 1);
  const to = at + random.next(Math.min(out.length - at, 40) + 1);
  switch (random.next(7)) {
    case 0:
      if (at < out.length) out[at] = (out[at] ?? 0) ^ (1 << random.next(8));
      return out;
    case 1:
      if (at < out.length) out[at] = random.one(PROVOKING);
      return out;
    case 2:
      return Buffer.concat([out.subarray(0, at), random.bytes(random.next(8)), out.subarray(at)]);
    case 3:
      return Buffer.concat([out.subarray(0, at), out.subarray(to)]);
    case 4: {
      const again = Array.from({ length: 1 + random.next(20) }, () => out.subarray(at, to));
      return Buffer.concat([out.subarray(0, at), ...again, out.subarray(at)]);
    }
    case 5: {
      const other = random.one(good);
      return Buffer.concat([out.subarray(0, at), other.subarray(random.next(other.length + 1))]);
    }
    default:
      return Buffer.concat([out.subarray(0, at), Buffer.alloc(random.next(64), random.next(256))]);
  }
}

/** The bytes in pieces, as a socket may bring them. */
export function inPieces(random: Randomness, bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const to = Math.min(bytes.length, at + 1 + random.next(random.next(3) === 0 ? 3 : 64));
    pieces.push(bytes.subarray(at, to));
    at = to;
  }
  return pieces;
}
