import { GoStateError } from "../go-state-error.ts";

/** Above this first byte an unsigned integer's length is told by it. */
const LARGEST_SMALL_UINT = 0x7f;

/**
 * Reads the elementary values of a gob from front to back.
 *
 * @see https://pkg.go.dev/encoding/gob, "Encoding Details"
 */
export class GobReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = start;
    this.#end = end;
  }

  /** Offset of the next byte in the file. */
  get position(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  /** An error that says where in the file. */
  invalid(what: string): GoStateError {
    return new GoStateError("GOB_INVALID", `${what} at byte ${this.#at}`);
  }

  /** One byte up to 127; else the negated count of the bytes that follow, big-endian. */
  uint(): bigint {
    const first = this.#byte();
    if (first <= LARGEST_SMALL_UINT) return BigInt(first);
    const count = 0x100 - first;
    if (count > 8) throw this.invalid(`an integer of ${count} bytes`);
    let value = 0n;
    for (let index = 0; index < count; index++) value = (value << 8n) | BigInt(this.#byte());
    return value;
  }

  /** Bit 0 of the unsigned form says that the others are complemented. */
  int(): bigint {
    const value = this.uint();
    return value & 1n ? ~(value >> 1n) : value >> 1n;
  }

  /**
   * A count of things of at least one byte each.
   *
   * @throws {GoStateError} `GOB_INVALID` if the file can't hold so many
   */
  count(what: string): number {
    const value = this.uint();
    if (value > BigInt(this.remaining)) {
      throw this.invalid(`${what} of ${value} where ${this.remaining} bytes are left`);
    }
    return Number(value);
  }

  /** A number small enough to be one: a type's id, a field's distance. */
  smallInt(): number {
    const value = this.int();
    if (value < -0x8000_0000n || value > 0x7fff_ffffn) throw this.invalid(`a type id of ${value}`);
    return Number(value);
  }

  bytes(): Uint8Array {
    const length = this.count("a string or byte slice");
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }

  string(): string {
    return new TextDecoder().decode(this.bytes());
  }

  bool(): boolean {
    return this.uint() !== 0n;
  }

  /** The bytes of an IEEE 754 double as an unsigned integer, least byte first. */
  float(): number {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, this.uint(), true);
    return view.getFloat64(0);
  }

  /** A reader of the next message, which this one skips. */
  message(): GobReader {
    const length = this.count("a message");
    const start = this.#at;
    this.#at += length;
    return new GobReader(this.#bytes, start, start + length);
  }

  #byte(): number {
    if (this.#at >= this.#end) throw this.invalid("the data ends early");
    return this.#view.getUint8(this.#at++);
  }
}
