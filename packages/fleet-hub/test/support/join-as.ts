import {
  type BoxKeys,
  createBoxKeys,
  createUserKey,
  type JoinAnswer,
  type JoinRequest,
  openJoinAnswer,
  type SealedJoinAnswer,
  signJoin,
} from "@nodepass/fleet-protocol";

/** What a member has after it has joined. */
export interface MemberIdentity {
  readonly mid: string;
  readonly name: string;
  readonly box: BoxKeys;
  readonly hubKey: Uint8Array;
  /** `SU…` */
  readonly seed: string;
  readonly answer: JoinAnswer;
}

/** Joins as a master does. @param token of a join token; `undefined` renews `known` */
export async function joinAs(
  mid: string,
  name: string,
  token: JoinRequest["token"],
  fingerprint: string,
  post: (request: JoinRequest) => Promise<SealedJoinAnswer>,
  known?: Pick<MemberIdentity, "box" | "seed">,
): Promise<MemberIdentity> {
  const box = known?.box ?? createBoxKeys();
  const seed = known?.seed ?? createUserKey().seed;
  const request = signJoin({
    ...(token !== undefined && { token }),
    fp: fingerprint,
    mid,
    name,
    seed,
    box: box.publicKey,
  });
  const { answer, hubKey } = openJoinAnswer(box, request, await post(request), fingerprint);
  return { mid, name, box, hubKey, seed, answer };
}
