import type { ProxyAddress } from "@nodepass/url-config";
import { HttpConnect } from "./http-connect.ts";
import type { ProxyExchange } from "./proxy-exchange.ts";
import { Socks5 } from "./socks5.ts";

/**
 * Begins to ask a proxy for a connection to `host:port`. Names are resolved by the proxy.
 *
 * @throws {TunnelError} `PROXY_FAILED` for a host that the proxy's protocol can't express
 */
export function beginProxyExchange(
  { protocol, credentials }: Pick<ProxyAddress, "protocol" | "credentials">,
  to: { readonly host: string; readonly port: number },
): ProxyExchange {
  return protocol === "http" ? new HttpConnect(to, credentials) : new Socks5(to, credentials);
}
