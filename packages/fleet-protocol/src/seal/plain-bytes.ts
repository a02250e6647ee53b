/** The same bytes as a `Uint8Array`: `slice` of a `Buffer` is a view, that of a `Uint8Array` a copy. */
export function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
