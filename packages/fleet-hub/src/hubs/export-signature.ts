import { dataKeyMacs } from "../data-key-macs.ts";
import type { ExportSignature } from "../services/service-operations.ts";

const SIGNATURE_BYTES = 32;

/** Signs exports with keys derived from the fleet's data keys: the first signs, all check. */
export function exportSignature(fleet: string, dataKeys: readonly Uint8Array[]): ExportSignature {
  const macs = dataKeyMacs(fleet, dataKeys, "nodepass fleet export 1");
  return {
    sign: (body) => macs.sign(body).toString("base64url"),
    verify: (body, signature) => {
      const given = Buffer.from(signature, "base64url");
      return given.byteLength === SIGNATURE_BYTES && macs.verify(body, given);
    },
  };
}
