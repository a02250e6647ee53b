import { hash } from "node:crypto";

/** `sha256:` and 32 pairs of hex digits joined by `:`. */
const FINGERPRINT_CHARS = 7 + 32 * 3 - 1;

/**
 * SHA-256 of a certificate as both ends of a tunnel write it: `sha256:AA:BB:…`, upper case.
 *
 * @param der the certificate's DER bytes (`PeerCertificate.raw`, `X509Certificate.raw`)
 * @see docs/protocol.md, "Certificate check"
 * @example
 * certificateFingerprint(new X509Certificate(pem).raw); // "sha256:AB:CD:…"
 */
export function certificateFingerprint(der: Uint8Array): string {
  const hex = hash("sha256", der, "hex").toUpperCase();
  let text = `sha256:${hex.slice(0, 2)}`;
  for (let at = 2; at < hex.length; at += 2) text += `:${hex.slice(at, at + 2)}`;
  return text;
}

/** Whether `text` has exactly the shape that `certificateFingerprint` writes. */
export function isFingerprint(text: string): boolean {
  if (text.length !== FINGERPRINT_CHARS || !text.startsWith("sha256:")) return false;
  for (let at = 7; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((at - 7) % 3 === 2) {
      if (code !== 0x3a) return false;
    } else if (!((code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x46))) {
      return false;
    }
  }
  return true;
}
