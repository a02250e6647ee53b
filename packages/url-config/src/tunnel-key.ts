/**
 * The key of a URL that gives none: FNV-1a 32 over the tunnel port's decimal digits, as 8 lower-case
 * hex digits. Both ends derive it alike; it keeps nobody out.
 *
 * @see docs/protocol.md, "Tunnel key"
 * @example
 * deriveTunnelKey(10101); // "e68be2b4"
 */
export function deriveTunnelKey(port: number): string {
  let hash = 0x811c9dc5;
  for (const digit of String(port)) {
    hash = Math.imul(hash ^ digit.charCodeAt(0), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
