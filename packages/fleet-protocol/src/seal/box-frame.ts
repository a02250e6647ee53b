import { SealError } from "./seal-error.ts";

/** Length of a sender's nonce. */
export const NONCE_BYTES = 8;
/** Length of the seal behind the text (AES-GCM's tag, not shortened). */
export const TAG_BYTES = 16;

const VERSION = 1;
const COUNTER_AT = 1 + NONCE_BYTES;
const HEAD_BYTES = COUNTER_AT + 8;

/** Bytes that a box adds to a body. */
export const BOX_OVERHEAD = HEAD_BYTES + TAG_BYTES;

/** A box, taken apart; the arrays are views. */
export interface BoxFrame {
  nonce: Uint8Array;
  counter: number;
  text: Uint8Array;
  tag: Uint8Array;
}

/** Layout: u8 version 1, 8 bytes nonce of the sender, u64 counter (big-endian), text, 16 bytes tag. */
export function encodeBoxFrame({ nonce, counter, text, tag }: BoxFrame): Uint8Array {
  const bytes = new Uint8Array(BOX_OVERHEAD + text.byteLength);
  bytes[0] = VERSION;
  bytes.set(nonce, 1);
  new DataView(bytes.buffer).setBigUint64(COUNTER_AT, BigInt(counter));
  bytes.set(text, HEAD_BYTES);
  bytes.set(tag, HEAD_BYTES + text.byteLength);
  return bytes;
}

/**
 * The parts of {@link encodeBoxFrame}, not yet known to be genuine.
 *
 * @throws {SealError} `BAD_FRAME` if it is too short, of another version, or counts from 0 or beyond 2^53
 */
export function decodeBoxFrame(bytes: Uint8Array): BoxFrame {
  if (bytes.byteLength < BOX_OVERHEAD) {
    const found = `${bytes.byteLength} bytes`;
    throw new SealError("BAD_FRAME", `a box has at least ${BOX_OVERHEAD} bytes, not ${found}`);
  }
  if (bytes[0] !== VERSION) {
    throw new SealError("BAD_FRAME", `box of version ${bytes[0]}, known is ${VERSION}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const counter = Number(view.getBigUint64(COUNTER_AT));
  if (counter === 0 || !Number.isSafeInteger(counter)) {
    throw new SealError("BAD_FRAME", "a box counts from 1 to 2^53");
  }
  const textEnd = bytes.byteLength - TAG_BYTES;
  return {
    nonce: bytes.subarray(1, COUNTER_AT),
    counter,
    text: bytes.subarray(HEAD_BYTES, textEnd),
    tag: bytes.subarray(textEnd),
  };
}
