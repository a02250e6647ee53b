import type { BlockState, BlockVerdict } from "./block-state.ts";

/** Longest TLS record, RFC 8446 section 5.2. */
const MAX_RECORD_BYTES = 16_384 + 256;

/** Fields of an SSLv2-compatible ClientHello before its variable part, record header excluded. */
const V2_FIXED_BYTES = 9;

/**
 * TLS by its first record: handshake (0x16), version 3.0 to 3.4; certain at the third byte. RFC
 * 8446 tells servers to ignore that version, so with a higher one the length and the message type
 * ClientHello decide. Also the ClientHello in an SSLv2 record, which old servers take, if all its
 * lengths agree (RFC 5246 appendix E.2).
 */
export class TlsState implements BlockState {
  #at = 0;
  #first = 0;
  /** The u16 being read, or that was read last. */
  #word = 0;
  #recordBytes = 0;
  #neededBytes = V2_FIXED_BYTES;

  next(byte: number): BlockVerdict {
    const at = this.#at++;
    if (at === 0) {
      this.#first = byte;
      return byte === 0x16 || byte >= 0x80 ? "undecided" : "allowed";
    }
    this.#word = ((this.#word << 8) | byte) & 0xffff;
    return this.#first === 0x16 ? this.#record(at, byte) : this.#v2Record(at, byte);
  }

  #record(at: number, byte: number): BlockVerdict {
    if (at === 1) return byte === 3 ? "undecided" : "allowed";
    if (at === 2) return byte <= 4 ? "blocked" : "undecided";
    if (at === 3) return "undecided";
    if (at === 4) {
      return this.#word >= 4 && this.#word <= MAX_RECORD_BYTES ? "undecided" : "allowed";
    }
    return byte === 1 ? "blocked" : "allowed";
  }

  #v2Record(at: number, byte: number): BlockVerdict {
    switch (at) {
      case 1:
        this.#recordBytes = ((this.#first & 0x7f) << 8) | byte;
        return this.#recordBytes > V2_FIXED_BYTES ? "undecided" : "allowed";
      case 2:
        return byte === 1 ? "undecided" : "allowed";
      case 3:
        return byte === 3 || byte === 0 ? "undecided" : "allowed";
      case 4:
        return this.#word === 2 || (this.#word >= 0x300 && this.#word <= 0x304)
          ? "undecided"
          : "allowed";
      case 6:
        // Cipher suites, three bytes each.
        this.#neededBytes += this.#word;
        return this.#word > 0 && this.#word % 3 === 0 ? "undecided" : "allowed";
      case 8:
        // Session id.
        this.#neededBytes += this.#word;
        return this.#word === 0 || this.#word === 16 ? "undecided" : "allowed";
      case 10:
        // Challenge.
        this.#neededBytes += this.#word;
        return this.#word >= 16 && this.#word <= 32 && this.#neededBytes === this.#recordBytes
          ? "blocked"
          : "allowed";
      default:
        return "undecided";
    }
  }
}
