import { MasterClientError } from "../client-error.ts";

/**
 * Which certificate of an `https` master is good: one that the system trusts for that name, the one
 * with a fingerprint, or any.
 */
export type Trust =
  | { readonly kind: "system" }
  | { readonly kind: "pin"; readonly fingerprint: string }
  | { readonly kind: "any" };

/**
 * Reads a SHA-256 fingerprint of a certificate: 64 hexadecimal digits, with or without colons and
 * `sha256:` in front.
 *
 * @returns the digits as `XX:XX:…`, as Node writes them
 * @throws {MasterClientError} `INVALID`
 */
export function parseFingerprint(text: string): string {
  const digits = text.replace(/^sha-?256[:=]/i, "").replaceAll(":", "");
  if (!/^[0-9a-f]{64}$/i.test(digits)) {
    throw new MasterClientError(
      "INVALID",
      "the fingerprint is no SHA-256 fingerprint; allowed: 64 hexadecimal digits",
    );
  }
  return digits.toUpperCase().replace(/..(?=.)/g, "$&:");
}
