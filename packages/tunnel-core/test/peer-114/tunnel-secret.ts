import { createHash, createHmac, X509Certificate } from "node:crypto";

/** FNV-1a, 32 bits, of the text's bytes, as eight lower-case hex digits. */
export function fnv1a32(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, "utf8")) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, "0");
}

/** The tunnel key: the URL's user name, else the hash of the tunnel port's digits. */
export function tunnelKey(key: string | undefined, tunnelPort: number): string {
  return key ?? fnv1a32(String(tunnelPort));
}

/** The handshake's bearer token: HMAC-SHA256 with the key over the empty message. */
export function bearerToken(key: string): string {
  return createHmac("sha256", key).update("").digest("hex");
}

/** `sha256:AA:BB:…` of a certificate (DER, or PEM text). */
export function certificateFingerprint(certificate: Buffer | string): string {
  const der = new X509Certificate(certificate).raw;
  const pairs = createHash("sha256").update(der).digest("hex").toUpperCase().match(/../g) ?? [];
  return `sha256:${pairs.join(":")}`;
}

/** `ip:port` as signals write it, IPv6 in brackets. */
export function formatRemote(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Without the prefix that a dual-stack socket puts before IPv4 addresses. */
export function plainAddress(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:/, "");
}
