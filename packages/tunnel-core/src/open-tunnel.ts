import { type ClientSettings, parseTunnelUrl, type ServerSettings } from "@nodepass/url-config";
import { TunnelError } from "./errors.ts";
import type { Tunnel, TunnelOptions } from "./tunnel.ts";
import { checkOptions, checkSettings } from "./tunnels/check-options.ts";
import { ClientTunnel } from "./tunnels/client-tunnel.ts";
import { ServerTunnel } from "./tunnels/server-tunnel.ts";
import { SingleEndTunnel } from "./tunnels/single-end-tunnel.ts";
import { TunnelBase } from "./tunnels/tunnel-base.ts";

/**
 * Opens a tunnel end: a server, a client, or a single-end forwarder.
 *
 * Resolves when it has started: a server and a forwarder listen then, a dual-end client has begun
 * to connect and goes on trying by itself (`ready()` tells when it is connected).
 *
 * @param from a `server://` or `client://` URL, or settings
 * @throws {UrlConfigError} for a bad URL
 * @throws {TunnelError} `INVALID_OPTIONS`, `ADDRESS_IN_USE`, `BIND_FAILED` or `CERTIFICATE_INVALID`
 * @throws the signal's reason if it is aborted already
 * @example
 * const tunnel = await openTunnel("client://key@edge.example.com:10101/127.0.0.1:8080?mode=2");
 * await tunnel.ready({ signal: AbortSignal.timeout(10_000) });
 */
export async function openTunnel(
  from: string | ServerSettings | ClientSettings,
  options: TunnelOptions = {},
): Promise<Tunnel> {
  const settings = typeof from === "string" ? parseTunnelUrl(from) : from;
  checkSettings(settings);
  checkOptions(options);
  options.signal?.throwIfAborted();
  // What a tunnel keeps of its options has no predecessor: each would hold the one before it.
  const { takeOver, drainTimeoutMs, ...own } = options;
  if (takeOver !== undefined && !(takeOver instanceof TunnelBase)) {
    throw new TunnelError("INVALID_OPTIONS", "takeOver is no tunnel that openTunnel has opened");
  }
  const start = (tunnel: TunnelBase): Promise<Tunnel> =>
    begin(tunnel, own.onCreate, takeOver, drainTimeoutMs);
  if (settings.scheme === "server") return start(new ServerTunnel(settings, own));
  if (settings.mode === 2) return start(new ClientTunnel(settings, own));
  try {
    return await start(new SingleEndTunnel(settings, own));
  } catch (error) {
    // Mode 0: single-end if the tunnel address can be bound here, else dual-end.
    const taken = error instanceof TunnelError && isBindFailure(error);
    if (settings.mode === 1 || !taken) throw error;
    return start(new ClientTunnel(settings, own));
  }
}

function isBindFailure(error: TunnelError): boolean {
  return error.code === "ADDRESS_IN_USE" || error.code === "BIND_FAILED";
}

async function begin(
  tunnel: TunnelBase,
  onCreate: TunnelOptions["onCreate"],
  former: TunnelBase | undefined,
  drainTimeoutMs: number | undefined,
): Promise<Tunnel> {
  if (former !== undefined) tunnel.replace(former);
  onCreate?.(tunnel);
  try {
    await tunnel.start();
  } catch (error) {
    tunnel.destroy(error instanceof Error ? error : undefined);
    throw error;
  }
  tunnel.succeed(drainTimeoutMs);
  return tunnel;
}
