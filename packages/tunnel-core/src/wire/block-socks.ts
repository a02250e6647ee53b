import type { BlockState, BlockVerdict } from "./block-state.ts";

/**
 * SOCKS by its first two bytes: 5 and a number of methods (RFC 1928 section 3), or 4 and the
 * command CONNECT or BIND (SOCKS 4 and 4a, which differ only later).
 *
 * Whatever the next bytes are, a SOCKS server would go on with them as SOCKS, so nothing is gained
 * by waiting. A greeting that offers no method at all can only be refused: not blocked.
 */
export class SocksState implements BlockState {
  #version = 0;

  next(byte: number): BlockVerdict {
    if (this.#version === 0) {
      this.#version = byte;
      return byte === 4 || byte === 5 ? "undecided" : "allowed";
    }
    if (this.#version === 5) return byte === 0 ? "allowed" : "blocked";
    return byte === 1 || byte === 2 ? "blocked" : "allowed";
  }
}
