import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { type BoxFrame, decodeBoxFrame, encodeBoxFrame, NONCE_BYTES } from "./box-frame.ts";
import type { BoxKeys } from "./box-keys.ts";
import { plain } from "./plain-bytes.ts";
import { ReplayWindow } from "./replay-window.ts";
import { SealError } from "./seal-error.ts";

const CIPHER = "aes-256-gcm";
const EMPTY = new Uint8Array(0);

/** Who seals with a box: the fleet's side, or a member's. */
export type BoxSide = "hub" | "member";

/** Keys that two sides have agreed on. */
export interface BoxPair {
  /** The keys of this side. */
  readonly own: BoxKeys;
  /** The other side's public key, 32 bytes. */
  readonly peerPublicKey: Uint8Array;
}

/** What a box is made of. */
export interface BoxOptions extends BoxPair {
  side: BoxSide;
  /** Further keys of the fleet's, while it has more than one; see {@link Box.use}. @default none */
  others?: readonly BoxPair[] | undefined;
  /** Runs of the other side whose windows are kept at once. @default 32 */
  maxSenders?: number | undefined;
  /** Runs that are over and stay refused; the oldest are forgotten first. @default 4096 */
  maxFormerSenders?: number | undefined;
}

/** Which message it was: the nonce of its sender's run, and its place in it. */
export interface BoxId {
  /** {@link Box.nonce} of who sealed it: 16 hexadecimal digits. */
  sender: string;
  /** 1 for the first of a run. */
  counter: number;
}

/** A body that came out of a box: who sealed it is certain, and that it comes for the first time. */
export interface OpenedBox extends BoxId {
  /** A new array. */
  body: Uint8Array;
}

/** What two sides say to each other, under one pair of keys or, while the fleet's changes, several. */
export interface Box {
  /**
   * This run of this side, 16 hexadecimal digits, new with every box: what {@link sessionContext}
   * of the other side's messages is made of. A member's is its boot nonce.
   */
  readonly nonce: string;
  /**
   * @param subject the NATS subject that it is sent to; for an answer, the request's
   * @param body any bytes; 33 more come out
   * @param context see {@link sessionContext}, {@link answerContext}
   */
  seal(subject: string, body: Uint8Array, context?: Uint8Array): Uint8Array;
  /**
   * @param subject what the other side gave to `seal`
   * @param bytes from outside: anything
   * @param context what the other side gave to `seal`
   * @throws {SealError} `BAD_FRAME` if it is no box; `BAD_SEAL` if it was changed, or sealed for another
   * subject, context, direction or receiver; `REPEATED` if it was opened before, or is more than
   * 1,024 messages late. Nothing else is thrown.
   */
  open(subject: string, bytes: Uint8Array, context?: Uint8Array): OpenedBox;
  /**
   * Opens by any of these from now on, and by no other; run and counters stay. A member seals by the
   * first. A hub seals by the one that this member has used last, and by the first before it has used any.
   *
   * @throws {SealError} `BAD_KEY` if a peer's key cannot be used; then nothing has changed
   */
  use(pairs: readonly [BoxPair, ...BoxPair[]]): void;
}

/** Which message this is, without opening it: for the answer's context, of a request sealed by oneself. */
export function boxIdOf(sealed: Uint8Array): BoxId {
  const { nonce, counter } = decodeBoxFrame(sealed);
  return { sender: hex(nonce), counter };
}

/**
 * Boxes between the fleet's key and a member's (docs/fleet.md, "Security"): AES-256-GCM; the key of
 * a run and direction by HKDF-SHA256 (RFC 5869) from the X25519 secret, salted with the run's nonce
 * and bound to both public keys; the counter is the IV, as the nonce is new with every box; subject,
 * counter and context are associated data.
 *
 * What it remembers is bounded: 1,024 counters for each of `maxSenders` runs of the other side. A run
 * that falls out, the one longest silent, is over: whatever comes of it later is refused. Memory
 * ends with the process; what must not be taken again after that is bound by a context.
 *
 * @throws {SealError} `BAD_KEY` if the peer's key cannot be used
 */
export function openBox(options: BoxOptions): Box {
  const { own, peerPublicKey, side, others = [] } = options;
  const { maxSenders = 32, maxFormerSenders = 4096 } = options;
  const nonce = randomBytes(NONCE_BYTES);
  const peerSide: BoxSide = side === "hub" ? "member" : "hub";
  const agreed = agreeOn([{ own, peerPublicKey }, ...others], side, []);
  let roads: readonly Road[] = agreed;
  /** What is sealed by. */
  let [road] = agreed;
  let sealed = 0;

  // The one longest silent first; only runs of which a box was opened.
  const runs = new Map<string, Run>();
  const former = new Set<string>();

  const remember = (sender: string, run: Run) => {
    runs.delete(sender);
    runs.set(sender, run);
    if (runs.size > maxSenders) former.add(forgetFirst(runs));
    if (former.size > maxFormerSenders) forgetFirst(former);
  };

  /** By the road that is in use, else by another: which it is, only its seal tells. */
  const decryptBy = (run: Run, frame: BoxFrame, aad: Uint8Array): [Road, Uint8Array] => {
    let failure: unknown;
    for (const one of [road, ...roads.filter((other) => other !== road)]) {
      const key = run.keys.get(one) ?? one.keyFor(peerSide, frame.nonce);
      try {
        const body = decrypt(key, frame, aad);
        run.keys.set(one, key);
        return [one, body];
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  };

  return {
    nonce: hex(nonce),
    seal: (subject, body, context = EMPTY) => {
      sealed += 1;
      road.sealKey ??= road.keyFor(side, nonce);
      const cipher = createCipheriv(CIPHER, road.sealKey, ivOf(sealed));
      cipher.setAAD(associatedData(subject, sealed, context));
      const text = cipher.update(body);
      cipher.final();
      return encodeBoxFrame({ nonce, counter: sealed, text, tag: cipher.getAuthTag() });
    },
    open: (subject, bytes, context = EMPTY) => {
      const frame = decodeBoxFrame(bytes);
      const { counter } = frame;
      const sender = hex(frame.nonce);
      const run = runs.get(sender) ?? { keys: new Map(), window: new ReplayWindow() };
      // First of all: who has no key learns nothing of what was seen, and changes nothing.
      const [by, body] = decryptBy(run, frame, associatedData(subject, counter, context));
      if (former.has(sender)) throw new SealError("REPEATED", "the box is of a run that is over");
      if (run.window.has(counter)) {
        throw new SealError(
          "REPEATED",
          `box ${counter} of run ${sender} was opened or is too late`,
        );
      }
      run.window.add(counter);
      remember(sender, run);
      if (side === "hub") road = by;
      return { body, sender, counter };
    },
    use: (pairs) => {
      const next = agreeOn(pairs, side, roads);
      roads = next;
      if (side === "member" || !next.includes(road)) [road] = next;
      for (const { keys } of runs.values()) {
        for (const known of keys.keys()) if (!next.includes(known)) keys.delete(known);
      }
    },
  };
}

/** What one pair of keys makes. */
interface Road {
  readonly name: string;
  keyFor(from: BoxSide, nonce: Uint8Array): KeyObject;
  sealKey: KeyObject | undefined;
}

/** @param known roads that stay what they are where their keys are named again */
function agreeOn(
  [first, ...rest]: readonly [BoxPair, ...BoxPair[]],
  side: BoxSide,
  known: readonly Road[],
): readonly [Road, ...Road[]] {
  const road = ({ own, peerPublicKey }: BoxPair): Road => {
    const parties =
      side === "hub" ? [own.publicKey, peerPublicKey] : [peerPublicKey, own.publicKey];
    const name = Buffer.concat(parties).toString("hex");
    const same = known.find((one) => one.name === name);
    if (same !== undefined) return same;
    const secret = own.agree(peerPublicKey);
    const keyFor = (from: BoxSide, nonce: Uint8Array) => {
      const info = Buffer.concat([Buffer.from(`nodepass fleet box 1 from ${from} `), ...parties]);
      return createSecretKey(Buffer.from(hkdfSync("sha256", secret, nonce, info, 32)));
    };
    return { name, keyFor, sealKey: undefined };
  };
  return [road(first), ...rest.map(road)];
}

interface Run {
  /** By road, as far as a box has come by it. */
  keys: Map<Road, KeyObject>;
  window: ReplayWindow;
}

function decrypt(
  key: KeyObject,
  { counter, text, tag }: { counter: number; text: Uint8Array; tag: Uint8Array },
  aad: Uint8Array,
): Uint8Array {
  const decipher = createDecipheriv(CIPHER, key, ivOf(counter));
  decipher.setAAD(aad);
  decipher.setAuthTag(tag);
  const body = decipher.update(text);
  try {
    decipher.final();
  } catch (error) {
    throw new SealError("BAD_SEAL", "the box was changed, or is for another place", {
      cause: error,
    });
  }
  return plain(body);
}

function ivOf(counter: number): Uint8Array {
  const iv = Buffer.alloc(12);
  iv.writeBigUInt64BE(BigInt(counter), 4);
  return iv;
}

/** u32 length of the subject, subject, u64 counter, context: no two triples make the same bytes. */
function associatedData(subject: string, counter: number, context: Uint8Array): Uint8Array {
  const length = Buffer.byteLength(subject);
  const bytes = Buffer.allocUnsafe(4 + length + 8 + context.byteLength);
  bytes.writeUInt32BE(length);
  bytes.write(subject, 4);
  bytes.writeBigUInt64BE(BigInt(counter), 4 + length);
  bytes.set(context, 4 + length + 8);
  return bytes;
}

function forgetFirst(keys: Map<string, unknown> | Set<string>): string {
  const [first = ""] = keys.keys();
  keys.delete(first);
  return first;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
