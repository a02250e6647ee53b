import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import type { ExportSignature } from "../services/service-operations.ts";

/** Signs exports with keys derived from the fleet's data keys: the first signs, all check. */
export function exportSignature(fleet: string, dataKeys: readonly Uint8Array[]): ExportSignature {
  const keys = dataKeys.map((key) =>
    Buffer.from(hkdfSync("sha256", key, fleet, "nodepass fleet export 1", 32)),
  );
  const mac = (key: Buffer, body: Uint8Array) => createHmac("sha256", key).update(body).digest();
  const [first] = keys;
  if (first === undefined) throw new RangeError("a fleet has a data key");
  return {
    sign: (body) => mac(first, body).toString("base64url"),
    verify: (body, signature) => {
      const given = Buffer.from(signature, "base64url");
      return keys.some((key) => {
        const right = mac(key, body);
        return given.byteLength === right.byteLength && timingSafeEqual(right, given);
      });
    },
  };
}
