import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

/** HMAC-SHA256 by keys that are derived from a fleet's data keys: the first signs, all check. */
export interface DataKeyMacs {
  /** 32 bytes. */
  sign(body: Uint8Array): Buffer;
  /** Compares in constant time. @param given the MAC or its beginning */
  verify(body: Uint8Array, given: Uint8Array): boolean;
}

/** @param purpose what they are for: those of one are none of another */
export function dataKeyMacs(
  fleet: string,
  dataKeys: readonly Uint8Array[],
  purpose: string,
): DataKeyMacs {
  const keys = dataKeys.map((key) => Buffer.from(hkdfSync("sha256", key, fleet, purpose, 32)));
  const mac = (key: Buffer, body: Uint8Array) => createHmac("sha256", key).update(body).digest();
  const [first] = keys;
  if (first === undefined) throw new RangeError("a fleet has a data key");
  return {
    sign: (body) => mac(first, body),
    verify: (body, given) =>
      keys.some((key) => {
        const right = mac(key, body).subarray(0, given.byteLength);
        return given.byteLength === right.byteLength && timingSafeEqual(right, given);
      }),
  };
}
