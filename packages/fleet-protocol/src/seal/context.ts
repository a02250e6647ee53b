import { NONCE_BYTES } from "./box-frame.ts";
import { SealError } from "./seal-error.ts";

const SESSION = 1;
const ANSWER = 2;

/**
 * Binds a body to a run of its receiver, so that a recorded one is worth nothing after a restart.
 * Hub to member: the member's boot nonce, which every body but a join's has. (Member to hub:
 * several hubs read one message, so it names their runs in its body.)
 *
 * @param nonce the receiver's {@link Box.nonce}: 16 hexadecimal digits
 * @throws {SealError} `BAD_FRAME` if it is not that
 */
export function sessionContext(nonce: string): Uint8Array {
  return Buffer.concat([Buffer.of(SESSION), nonceBytes(nonce)]);
}

/**
 * Binds an answer to its request: it cannot be taken for that to another, earlier or later one.
 *
 * @param request what {@link Box.seal} or {@link Box.open} told of the request
 * @throws {SealError} `BAD_FRAME` if its sender is no nonce
 */
export function answerContext(request: { sender: string; counter: number }): Uint8Array {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(request.counter));
  return Buffer.concat([Buffer.of(ANSWER), nonceBytes(request.sender), counter]);
}

function nonceBytes(nonce: string): Uint8Array {
  const bytes = Buffer.from(nonce, "hex");
  if (bytes.byteLength !== NONCE_BYTES || nonce.length !== 2 * NONCE_BYTES) {
    throw new SealError("BAD_FRAME", `a nonce has ${2 * NONCE_BYTES} hexadecimal digits`);
  }
  return bytes;
}
