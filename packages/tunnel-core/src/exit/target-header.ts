import type { TunnelSettings } from "@nodepass/url-config";
import { serverNameOf } from "../wire/client-hello.ts";
import { type Endpoint, parseRemote } from "../wire/endpoint.ts";
import { proxyHeader } from "../wire/proxy-header.ts";
import { proxyHeader2 } from "../wire/proxy-header-2.ts";

/** What is known of a user when his target is there. */
export interface HeaderUser {
  /** `ip:port` */
  readonly remote: string;
  readonly authority?: string | undefined;
  /** The beginning of what he has sent, if any of it is there. */
  readonly earlyBytes?: Buffer | undefined;
}

/**
 * The PROXY protocol header of a TCP connection, latin1, if one is to be sent. Version 2 says the
 * name that the user asked for where it is known by then: nobody waits for it, since a user may wait
 * for the target's first word.
 */
export function targetHeader(
  settings: Pick<TunnelSettings, "proxy" | "proxyVersion">,
  user: HeaderUser,
  target: Endpoint,
): string | undefined {
  if (!settings.proxy) return undefined;
  const source = parseRemote(user.remote) ?? { address: "", port: 0 };
  if (settings.proxyVersion === 1) return proxyHeader(source, target);
  return proxyHeader2(source, target, "tcp", user.authority ?? serverNameIn(user.earlyBytes));
}

function serverNameIn(early: Buffer | undefined): string | undefined {
  if (early === undefined) return undefined;
  const asked = serverNameOf(early);
  return asked.is === "tls" ? asked.name : undefined;
}
