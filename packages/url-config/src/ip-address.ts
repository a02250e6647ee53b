const octet = /^(?:0|[1-9]\d{0,2})$/;
const ipv6Characters = /^[0-9A-Fa-f:.]{2,45}$/;
const zone = /^[A-Za-z0-9._~-]{1,64}$/;

/** Whether `text` is an IPv4 address in dotted form, without leading zeros. */
export function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => octet.test(part) && Number(part) <= 255);
}

/** Whether `text` is an IPv6 address without brackets; `%zone` may follow. */
export function isIpv6(text: string): boolean {
  const percent = text.indexOf("%");
  if (percent >= 0 && !zone.test(text.slice(percent + 1))) return false;
  const address = percent < 0 ? text : text.slice(0, percent);
  // The URL standard's parser knows every spelling; the pattern keeps other syntax away from it.
  return ipv6Characters.test(address) && URL.canParse(`http://[${address}]`);
}

/**
 * The spelling of RFC 5952, but for an embedded IPv4 address; the zone stays.
 *
 * @param address a valid one
 * @example
 * canonicalIpv6("2001:DB8:0::1"); // "2001:db8::1"
 */
export function canonicalIpv6(address: string): string {
  const percent = address.indexOf("%");
  const [bare, zoneText] =
    percent < 0 ? [address, ""] : [address.slice(0, percent), address.slice(percent)];
  return `${new URL(`http://[${bare}]`).hostname.slice(1, -1)}${zoneText}`;
}

/**
 * The 4 or 16 bytes of an IP address, without its zone.
 *
 * @returns `undefined` if `text` is none
 * @example
 * addressBytes("::1")?.at(-1); // 1
 */
export function addressBytes(text: string): Uint8Array | undefined {
  if (isIpv4(text)) return Uint8Array.from(text.split("."), Number);
  if (!isIpv6(text)) return undefined;
  const [head = "", tail = ""] = canonicalIpv6(text.replace(/%.*$/, "")).split("::");
  const groups = (part: string) =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const bytes = new DataView(new ArrayBuffer(16));
  const last = groups(tail);
  for (const [at, group] of groups(head).entries()) bytes.setUint16(2 * at, group);
  for (const [at, group] of last.entries()) bytes.setUint16(2 * (8 - last.length + at), group);
  return new Uint8Array(bytes.buffer);
}
