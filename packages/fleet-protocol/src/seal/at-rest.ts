import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { TAG_BYTES } from "./box-frame.ts";
import { plain } from "./plain-bytes.ts";
import { SealError } from "./seal-error.ts";

/** Length of a fleet's data key. */
export const DATA_KEY_BYTES = 32;

const CIPHER = "aes-256-gcm";
const VERSION = 1;
const KEY_ID_BYTES = 4;
const IV_AT = 1 + KEY_ID_BYTES;
const IV_BYTES = 12;
const TEXT_AT = IV_AT + IV_BYTES;

/** A new data key, from the system's random numbers. */
export function createDataKey(): Uint8Array {
  return new Uint8Array(randomBytes(DATA_KEY_BYTES));
}

/**
 * Seals a record for a bucket; 33 bytes are added. Layout: u8 version 1, 4 bytes of which data key,
 * 12 bytes random IV, text, 16 bytes tag. It can be put under no other name; that an older version
 * of it was put back, the seal cannot tell.
 *
 * @param dataKey 32 bytes; good for 2^32 records (NIST SP 800-38D, 8.3)
 * @param name bucket and key, as `np_<fleet>_svc/<sid>`
 * @throws {SealError} `BAD_KEY` if the data key is not 32 bytes long
 */
export function sealAtRest(dataKey: Uint8Array, name: string, body: Uint8Array): Uint8Array {
  const id = keyId(dataKey);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, dataKey, iv);
  cipher.setAAD(associatedData(name));
  const text = cipher.update(body);
  cipher.final();
  return plain(Buffer.concat([Buffer.of(VERSION), id, iv, text, cipher.getAuthTag()]));
}

/**
 * The body of {@link sealAtRest}.
 *
 * @param dataKeys the fleet's data key, or several while it is changed
 * @param bytes from outside: anything
 * @throws {SealError} `BAD_FRAME` if it is no sealed record; `BAD_SEAL` if it was changed, is another
 * name's, or was sealed with another data key; `BAD_KEY` as `sealAtRest`
 */
export function openAtRest(
  dataKeys: Uint8Array | readonly Uint8Array[],
  name: string,
  bytes: Uint8Array,
): Uint8Array {
  if (bytes.byteLength < TEXT_AT + TAG_BYTES) {
    throw new SealError("BAD_FRAME", `a sealed record of ${bytes.byteLength} bytes is too short`);
  }
  if (bytes[0] !== VERSION) {
    throw new SealError("BAD_FRAME", `sealed record of version ${bytes[0]}, known is ${VERSION}`);
  }
  const id = bytes.subarray(1, IV_AT);
  const keys = dataKeys instanceof Uint8Array ? [dataKeys] : dataKeys;
  const dataKey = keys.find((key) => keyId(key).equals(id));
  if (dataKey === undefined) {
    throw new SealError("BAD_SEAL", "the record was sealed with another data key");
  }
  const textEnd = bytes.byteLength - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, dataKey, bytes.subarray(IV_AT, TEXT_AT));
  decipher.setAAD(associatedData(name));
  decipher.setAuthTag(bytes.subarray(textEnd));
  const body = decipher.update(bytes.subarray(TEXT_AT, textEnd));
  try {
    decipher.final();
  } catch (error) {
    throw new SealError("BAD_SEAL", "the record was changed, or is another name's", {
      cause: error,
    });
  }
  return plain(body);
}

/** Whether bytes look like a record that was sealed with this data key; they are not opened. */
export function isSealedBy(dataKey: Uint8Array, bytes: Uint8Array): boolean {
  return bytes[0] === VERSION && keyId(dataKey).equals(bytes.subarray(1, IV_AT));
}

/** Tells data keys apart; says nothing of the key itself. */
function keyId(dataKey: Uint8Array): Buffer {
  if (dataKey.byteLength !== DATA_KEY_BYTES) {
    const found = `${dataKey.byteLength} bytes`;
    throw new SealError("BAD_KEY", `a data key has ${DATA_KEY_BYTES} bytes, not ${found}`);
  }
  const hash = createHash("sha256").update("nodepass fleet data key ").update(dataKey);
  return hash.digest().subarray(0, KEY_ID_BYTES);
}

function associatedData(name: string): Uint8Array {
  return Buffer.from(`nodepass fleet record 1 ${name}`);
}
