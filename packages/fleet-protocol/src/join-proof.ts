import { randomBytes } from "node:crypto";
import type { FleetSecrets } from "./identity/fleet-secrets.ts";
import { createSigner, isSignedBy } from "./identity/signer.ts";
import {
  type JoinAnswer,
  JoinAnswerSchema,
  type JoinRequest,
  type SealedJoinAnswer,
} from "./messages/join.ts";
import { MessageError, packMessage, unpackMessage } from "./messages/pack.ts";
import { openBox } from "./seal/box.ts";
import { type BoxKeys, fingerprintOf } from "./seal/box-keys.ts";
import { sessionContext } from "./seal/context.ts";

/** How far the clocks of a member and a hub may be apart, s. Section 7, rule 6 of the fleet's design. */
export const CLOCK_LEAVE_SECONDS = 300;

/** Stands in the place of a subject in the box of an answer. */
const JOIN_SUBJECT = "np.join";

/** What a member joins with, or renews its JWT. */
export interface SignJoinOptions {
  /** Of a join token; absent: a renewal. */
  readonly token?: JoinRequest["token"];
  /** Fingerprint of the fleet's key that it knows. */
  readonly fp?: string;
  readonly mid: string;
  readonly name: string;
  /** Of its NKey (`SU…`). */
  readonly seed: string;
  /** Its public X25519 key, 32 bytes. */
  readonly box: Uint8Array;
  /** ms since 1970. @default Date.now() */
  readonly now?: number | undefined;
}

/** A request that shows that who sends it has the NKey. */
export function signJoin(options: SignJoinOptions): JoinRequest {
  const { token, fp, mid, name, seed, box, now = Date.now() } = options;
  const signer = createSigner(seed);
  const unsigned = {
    v: 1,
    ...(token !== undefined && { token }),
    mid,
    name,
    nkey: signer.getPublicKey(),
    box: Buffer.from(box).toString("base64url"),
    ...(fp !== undefined && { fp }),
    at: Math.floor(now / 1000),
    nonce: randomBytes(8).toString("hex"),
  } as const;
  const sig = Buffer.from(signer.sign(signedBytes(unsigned))).toString("base64url");
  return { ...unsigned, sig };
}

/**
 * Whether the NKey of the request has signed it, about now. A request that is repeated within the leave
 * gives nothing away: the JWT in its answer is worth nothing without the NKey, and the box opens only
 * with the member's key.
 *
 * @param now ms since 1970
 * @returns why it is refused, for the one who asks; `undefined`: it is good
 */
export function joinProblem(request: JoinRequest, now: number): string | undefined {
  const sig = Buffer.from(request.sig, "base64url");
  if (!isSignedBy(request.nkey, signedBytes(request), sig)) {
    return "the request is not signed with its NKey";
  }
  const apart = Math.round(now / 1000) - request.at;
  if (Math.abs(apart) <= CLOCK_LEAVE_SECONDS) return undefined;
  const way = apart > 0 ? "behind" : "ahead of";
  return `the member's clock is ${Math.abs(apart)} s ${way} the hub's, at most ${CLOCK_LEAVE_SECONDS} s are allowed`;
}

/** The keys of a fleet's boxes. */
export type FleetBoxKeys = Pick<FleetSecrets, "boxKeys" | "allBoxKeys" | "oldestBoxKey">;

/**
 * Seals by the key that the member knows, and tells it all of them.
 *
 * @throws {SealError} `BAD_KEY` if the request's box key can't be used
 */
export function sealJoinAnswer(
  { boxKeys: first, allBoxKeys, oldestBoxKey }: FleetBoxKeys,
  request: Pick<JoinRequest, "box" | "nonce" | "fp" | "token">,
  answer: JoinAnswer,
): SealedJoinAnswer {
  // A member of before does not say which.
  const unsaid = request.token === undefined ? oldestBoxKey : first;
  const named = allBoxKeys.find(({ publicKey }) => fingerprintOf(publicKey) === request.fp);
  const own = request.fp === undefined ? unsaid : (named ?? first);
  const peerPublicKey = new Uint8Array(Buffer.from(request.box, "base64url"));
  const box = openBox({ own, peerPublicKey, side: "hub" });
  const body = packMessage({ ...answer, hubKeys: allBoxKeys.map(({ publicKey }) => publicKey) });
  const sealed = box.seal(JOIN_SUBJECT, body, sessionContext(request.nonce));
  return {
    hubKey: Buffer.from(own.publicKey).toString("base64url"),
    sealed: Buffer.from(sealed).toString("base64url"),
  };
}

/**
 * @param fingerprints of the fleet's keys: from the join token, or those that are known
 * @returns the answer and the key that it was sealed by, 32 bytes
 * @throws {MessageError} if another fleet's key has answered, or what is in the box is no answer
 * @throws {SealError} if the box was changed, or is the answer to another request
 */
export function openJoinAnswer(
  own: BoxKeys,
  request: Pick<JoinRequest, "nonce">,
  { hubKey, sealed }: SealedJoinAnswer,
  ...fingerprints: readonly string[]
): { readonly answer: JoinAnswer; readonly hubKey: Uint8Array } {
  const peerPublicKey = new Uint8Array(Buffer.from(hubKey, "base64url"));
  if (!fingerprints.includes(fingerprintOf(peerPublicKey))) {
    throw new MessageError(
      "the hub's key is not the one whose fingerprint the join token has, or that was told since",
    );
  }
  const box = openBox({ own, peerPublicKey, side: "member" });
  const bytes = new Uint8Array(Buffer.from(sealed, "base64url"));
  const { body } = box.open(JOIN_SUBJECT, bytes, sessionContext(request.nonce));
  return { answer: unpackMessage(JoinAnswerSchema, body), hubKey: peerPublicKey };
}

/** JSON of a list: no two requests have the same bytes. */
function signedBytes(request: Omit<JoinRequest, "sig">): Uint8Array {
  const { v, mid, name, nkey, box, at, nonce } = request;
  const fields = [v, request.token?.id ?? "", mid, name, nkey, box, at, nonce];
  return new TextEncoder().encode(`nodepass fleet join ${JSON.stringify(fields)}`);
}
