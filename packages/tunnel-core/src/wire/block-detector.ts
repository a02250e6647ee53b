import type { BlockedProtocols } from "@nodepass/url-config";
import { HttpState } from "./block-http.ts";
import { SocksState } from "./block-socks.ts";
import type { BlockState, BlockVerdict } from "./block-state.ts";
import { TlsState } from "./block-tls.ts";

export { MAX_UNDECIDED_BYTES } from "./block-http.ts";
export type { BlockState, BlockVerdict } from "./block-state.ts";

/**
 * Tells byte by byte whether what a user sends first is a protocol that `block` forbids.
 *
 * `undecided` → `blocked` as soon as one forbidden protocol is certain, `undecided` → `allowed` as
 * soon as none is possible any more, at the latest after `MAX_UNDECIDED_BYTES`; then it stays. The
 * bytes themselves are not kept: whoever asks holds back what is undecided. How the bytes are cut
 * never changes the verdict, nor the byte at which it falls.
 *
 * @see docs/protocol.md, "Blocked protocols"
 */
export class BlockDetector {
  #verdict: BlockVerdict;
  #protocol: keyof BlockedProtocols | undefined;
  #candidates: { readonly protocol: keyof BlockedProtocols; readonly state: BlockState }[] = [];

  constructor(block: BlockedProtocols) {
    if (block.socks) this.#candidates.push({ protocol: "socks", state: new SocksState() });
    if (block.http) this.#candidates.push({ protocol: "http", state: new HttpState() });
    if (block.tls) this.#candidates.push({ protocol: "tls", state: new TlsState() });
    this.#verdict = this.#candidates.length === 0 ? "allowed" : "undecided";
  }

  /** The protocol that was blocked, for the log. */
  get protocol(): keyof BlockedProtocols | undefined {
    return this.#protocol;
  }

  /**
   * Takes the next bytes of the connection.
   *
   * @param bytes may be reused by the caller after the call; what follows the deciding byte is not read
   */
  push(bytes: Uint8Array): BlockVerdict {
    for (let at = 0; at < bytes.length && this.#verdict === "undecided"; at++) {
      this.#take(bytes[at] ?? 0);
    }
    return this.#verdict;
  }

  #take(byte: number): void {
    let left = 0;
    for (const candidate of this.#candidates) {
      const verdict = candidate.state.next(byte);
      if (verdict === "blocked") {
        this.#verdict = "blocked";
        this.#protocol = candidate.protocol;
        return;
      }
      if (verdict === "undecided") this.#candidates[left++] = candidate;
    }
    this.#candidates.length = left;
    if (left === 0) this.#verdict = "allowed";
  }
}
