import { createHmac, randomBytes } from "node:crypto";
import type { TunnelContext } from "../tunnel-context.ts";
import type { HandshakeAnswer } from "../wire/handshake-answer.ts";
import {
  type ClientProofInput,
  findClientProof,
  KEY_ID_BYTES,
  keyId,
  PROOF_BYTES,
  ProofKeys,
} from "../wire/proof.ts";
import type { ProvedAnswer } from "../wire/proved-answer.ts";

/** A client that may have the tunnel, unless it is busy. */
export interface Applicant {
  readonly address: string;
  /** What a proved client brought; `undefined` for a 1.14 client. */
  readonly proved:
    | {
        readonly client: string;
        readonly clientNonce: Buffer;
        readonly serverNonce: Buffer;
        readonly offered: readonly string[];
        /** Value of its `Host`: the name that it will ask for in TLS. */
        readonly host: string;
      }
    | undefined;
}

/** One of the tunnels on a port, as handshakes see it. */
export interface KeyHolder {
  readonly context: Pick<TunnelContext, "counters" | "latencies" | "logLimited" | "peerGate">;
  readonly keys: ProofKeys;
  /** Bearer token of 1.14 clients; `undefined` refuses them. */
  readonly token: string | undefined;
  /**
   * Begins a session.
   *
   * @returns the answer, or why the client can't have the tunnel now
   */
  admit(applicant: Applicant): Promise<HandshakeAnswer | ProvedAnswer | string>;
}

/**
 * The keys of the tunnels on one port. Whose a client's is, is found in the same time for every number
 * of them: by the id that it sends, or its 1.14 token. A client of the first release knows no ids;
 * for it each key is tried, which is one HMAC (docs/limits.md).
 */
export class KeyRing {
  readonly #salt = randomBytes(KEY_ID_BYTES);
  /** Tokens are looked up by their HMAC under it, so no comparison can tell how much of one is right. */
  readonly #tokenKey = randomBytes(PROOF_BYTES);
  /** Nobody's: what is refused costs what is admitted costs. */
  readonly #nobody = new ProofKeys(randomBytes(PROOF_BYTES));
  /** Oldest first. */
  readonly #holders: KeyHolder[] = [];
  /** The last that came goes first: it takes the place of the one before. */
  readonly #byId = new Map<string, KeyHolder[]>();
  readonly #byToken = new Map<string, KeyHolder[]>();

  get size(): number {
    return this.#holders.length;
  }

  /** The tunnel that has been here longest: what nobody's key opens is logged and counted there. */
  get oldest(): KeyHolder | undefined {
    return this.#holders[0];
  }

  /** Salt of the ids, for challenges; `undefined` while there is nothing to choose. */
  get salt(): Buffer | undefined {
    return this.#holders.length > 1 ? this.#salt : undefined;
  }

  /** Whether 1.14 clients are let in by any of the tunnels. */
  get takesTokens(): boolean {
    return this.#byToken.size > 0;
  }

  /** The tunnel here that has the same key. */
  withKeyOf({ keys }: Pick<KeyHolder, "keys">): KeyHolder | undefined {
    return this.#byId.get(this.#idOf(keys))?.[0];
  }

  /** @param place of which it is the successor; it comes before it, and stands where it does */
  add(holder: KeyHolder, place?: KeyHolder): void {
    const at = place === undefined ? -1 : this.#holders.indexOf(place);
    this.#holders.splice(at < 0 ? this.#holders.length : at, 0, holder);
    put(this.#byId, this.#idOf(holder.keys), holder);
    if (holder.token !== undefined) put(this.#byToken, this.#tokenId(holder.token), holder);
  }

  delete(holder: KeyHolder): void {
    const at = this.#holders.indexOf(holder);
    if (at < 0) return;
    this.#holders.splice(at, 1);
    take(this.#byId, this.#idOf(holder.keys), holder);
    if (holder.token !== undefined) take(this.#byToken, this.#tokenId(holder.token), holder);
  }

  /** Whose token it is. */
  byToken(token: string): KeyHolder | undefined {
    return this.#byToken.get(this.#tokenId(token))?.[0];
  }

  /** Whose proof it is. @param id of the key, from the client; `undefined`: it sends none */
  byProof(
    input: ClientProofInput,
    proof: Uint8Array,
    id: Buffer | undefined,
  ): KeyHolder | undefined {
    const named =
      id === undefined || this.#holders.length < 2
        ? this.#holders
        : (this.#byId.get(id.toString("hex")) ?? []);
    const keys = named.length === 0 ? [this.#nobody] : named.map((holder) => holder.keys);
    return named[findClientProof(keys, input, proof)];
  }

  #idOf(keys: ProofKeys): string {
    return keyId(keys, this.#salt).toString("hex");
  }

  #tokenId(token: string): string {
    return createHmac("sha256", this.#tokenKey).update(token).digest("hex");
  }
}

function put(map: Map<string, KeyHolder[]>, id: string, holder: KeyHolder): void {
  map.set(id, [holder, ...(map.get(id) ?? [])]);
}

function take(map: Map<string, KeyHolder[]>, id: string, holder: KeyHolder): void {
  const left = (map.get(id) ?? []).filter((other) => other !== holder);
  if (left.length > 0) map.set(id, left);
  else map.delete(id);
}
