/** Where a TCP ping goes. */
export interface Target {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

const TARGET = /^(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([\p{L}\p{N}._-]{1,253})):(\d{1,5})$/iu;

/** `host:port` or `[IPv6]:port`; `undefined` for all else. */
export function parseTarget(text: string): Target | undefined {
  const match = TARGET.exec(text);
  if (match === null) return undefined;
  const host = match[1] ?? match[2];
  const port = Number(match[3]);
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  if (match[1] !== undefined && !host.includes(":")) return undefined;
  return { host, port };
}
