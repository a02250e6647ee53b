import {
  type ClientSettings,
  type HostPort,
  type ProxyAddress,
  proxyFromEnvironment,
} from "@nodepass/url-config";
import { TunnelError } from "../errors.ts";

/** The way of a TCP connection. */
export interface Route {
  /** IP address that is dialled: the other side's, or the proxy's. */
  readonly address: string;
  readonly port: number;
  /** A proxy stands there, and is asked for a connection to `to`, which it resolves itself. */
  readonly proxy: { readonly through: ProxyAddress; readonly to: HostPort } | undefined;
}

/** Whose address is dialled: the proxy's host, if there is one on the way. */
export function dialledHost({ proxy }: Route, to: HostPort): string {
  return proxy?.through.host ?? to.host;
}

/** The usual variables, as the program that runs the tunnel got them. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy on the way to an address, if there is one (`via`).
 *
 * @param environment for `via=env`; `undefined`: none was handed over
 * @throws {TunnelError} `PROXY_FAILED` if a variable of the environment is no proxy
 */
export function proxyOnTheWay(
  via: ClientSettings["via"],
  to: HostPort,
  environment: ProxyEnvironment | undefined,
): ProxyAddress | undefined {
  if (via !== "env") return via;
  const route = proxyFromEnvironment(environment ?? {}, to);
  if (route.kind === "fault") throw new TunnelError("PROXY_FAILED", route.message);
  return route.kind === "proxy" ? route.proxy : undefined;
}
