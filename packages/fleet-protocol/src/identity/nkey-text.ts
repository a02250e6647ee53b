// NKeys as text: a byte that says what the key is of, its 32 bytes and a CRC-16 (XMODEM, low byte first),
// in base32 (RFC 4648, 6, without padding). A seed has two bytes before the key. The library reads them,
// but tells the public half of a seed only by its own Ed25519, in JavaScript.

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const SEED_PREFIX_BYTES = 2;
const PUBLIC_PREFIX_BYTES = 1;
const KEY_BYTES = 32;
const CRC_POLYNOMIAL = 0x1021;

/** @param seed that the library could read @returns the secret key's 32 bytes, and the public key's first byte */
export function readSeed(seed: string): { readonly key: Buffer; readonly kind: number } {
  const bytes = fromBase32(seed);
  const [first = 0, second = 0] = bytes;
  // The kind's bits lie across both, so that the text begins with S and the kind's letter.
  const kind = ((first & 0b111) << 5) | (second >> 3);
  return { key: bytes.subarray(SEED_PREFIX_BYTES, SEED_PREFIX_BYTES + KEY_BYTES), kind };
}

/** @param text a public key that the library could read @returns its 32 bytes */
export function readPublicKey(text: string): Buffer {
  return fromBase32(text).subarray(PUBLIC_PREFIX_BYTES, PUBLIC_PREFIX_BYTES + KEY_BYTES);
}

/** @param kind the first byte, as {@link readSeed} tells it @param key 32 bytes */
export function publicKeyText(kind: number, key: Uint8Array): string {
  const named = Buffer.concat([Buffer.of(kind), key]);
  const crc = crc16(named);
  return toBase32(Buffer.concat([named, Buffer.of(crc & 0xff, crc >> 8)]));
}

function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = ((crc << 1) ^ (crc & 0x8000 ? CRC_POLYNOMIAL : 0)) & 0xffff;
    }
  }
  return crc;
}

function fromBase32(text: string): Buffer {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const character of text) {
    value = ((value << 5) | BASE32.indexOf(character)) & 0xffff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 0xff);
    }
  }
  return Buffer.from(bytes);
}

function toBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += BASE32[(value >> bits) & 31];
    }
  }
  return bits === 0 ? text : text + BASE32[(value << (5 - bits)) & 31];
}
