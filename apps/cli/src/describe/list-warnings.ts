import { isLoopback, type Settings, type TunnelSettings } from "@nodepass/url-config";

/** A key with fewer characters can be found by trying. */
const shortKeyCharacters = 16;

/**
 * Says what is allowed but likely not meant, or not safe. Never holds the key.
 *
 * @param command what people type for `nodepass`
 */
export function listWarnings(settings: Settings, command: string): string[] {
  const quiet =
    settings.log === "none" ? ["log=none: no log lines at all, and no check points either"] : [];
  if (settings.scheme === "master") return quiet;
  const single = settings.scheme === "client" && settings.mode === 1;
  return [
    ...(single ? [] : listKeyWarnings(settings, command)),
    ...(settings.scheme === "server" && settings.tls === 0 && !isLoopback(settings.tunnel.host)
      ? ["tls=0: whoever is on the way can read and change the traffic; tls=1 costs little"]
      : []),
    ...(settings.mode === 0
      ? [`mode=0: whether a port is free decides what this does; ${explicitMode(settings.scheme)}`]
      : []),
    ...(settings.scheme === "server" && settings.lbs !== undefined && settings.clients === 1
      ? [`lbs=${settings.lbs}: with clients=1 there is nothing to choose`]
      : []),
    ...(settings.tcp || settings.udp ? [] : ["notcp=1 and noudp=1: nothing is carried"]),
    ...quiet,
  ];
}

function listKeyWarnings({ keyGiven, key }: TunnelSettings, command: string): string[] {
  if (!keyGiven) {
    return [
      `no key: anybody who can reach the tunnel's port can join it; '${command} keygen' makes one`,
    ];
  }
  const characters = Array.from(key).length;
  return characters < shortKeyCharacters
    ? [
        `a key of ${characters} characters can be guessed; '${command} keygen' makes one that can't be`,
      ]
    : [];
}

function explicitMode(scheme: "server" | "client"): string {
  return scheme === "server"
    ? "mode=1 is always reverse, mode=2 always forward"
    : "mode=1 is always single-end, mode=2 always a tunnel's client";
}
