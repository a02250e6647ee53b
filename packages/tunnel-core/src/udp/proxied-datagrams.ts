import type { RemoteInfo } from "node:dgram";
import type { TunnelContext } from "../tunnel-context.ts";
import { type Endpoint, formatRemote } from "../wire/endpoint.ts";
import { readProxyHeader } from "../wire/proxy-header-2.ts";

/** A datagram and whose it is. */
export interface UserDatagram {
  readonly payload: Buffer;
  /** As a trusted proxy tells it; else where the datagram came from. */
  readonly source: Endpoint;
  /** The same as text, behind a trusted proxy only: it tells apart those on one socket. */
  readonly visitor: string | undefined;
}

/**
 * Takes the PROXY protocol header off a datagram of a trusted proxy, which has one before each.
 *
 * @returns `undefined` if it has none: dropped, and counted
 */
export function userDatagram(
  { trust, counters, logLimited }: TunnelContext,
  datagram: Buffer,
  from: RemoteInfo,
): UserDatagram | undefined {
  const source = { address: from.address, port: from.port };
  if (trust?.admits(from.address) !== true)
    return { payload: datagram, source, visitor: undefined };
  const header = readProxyHeader(datagram);
  if (typeof header === "string") {
    counters.udpDropped++;
    counters.refusedProxied++;
    logLimited("warn", "datagram of a proxy dropped: it has no PROXY protocol header", {
      address: from.address,
    });
    return undefined;
  }
  const user = header.source ?? source;
  return {
    payload: datagram.subarray(header.bytes),
    source: user,
    visitor: formatRemote(user.address, user.port),
  };
}
