import { formatHostPort, isLoopback, isSameHost, isWildcard } from "./host-port.ts";
import type { HostPort } from "./settings.ts";
import { type UrlProblem, urlProblem } from "./url-problem.ts";

/** What matters for loops. */
export interface LoopOptions {
  readonly tunnel: HostPort;
  readonly targets: readonly HostPort[];
  readonly scheme: "server" | "client";
  readonly mode: 0 | 1 | 2;
}

/**
 * Finds targets that lead back into the tunnel: its own port on a loopback or wildcard address, or
 * the very same address. A dual-end client whose tunnel is on another machine may use the same port
 * on its own. Names are compared as text only, nothing is looked up; port 0 is not known yet.
 */
export function findLoops({ tunnel, targets, scheme, mode }: LoopOptions): UrlProblem[] {
  const isElsewhere = scheme === "client" && !isLoopback(tunnel.host) && !isWildcard(tunnel.host);
  const allowed = isElsewhere
    ? "another port, or mode=2 if the tunnel is on another machine"
    : "another port";
  return targets
    .filter(({ host, port, lastPort = port }) => {
      const last = tunnel.lastPort ?? tunnel.port;
      if (port === 0 || port > last || lastPort < tunnel.port) return false;
      if (isSameHost(host, tunnel.host)) return true;
      return (isLoopback(host) || isWildcard(host)) && !(isElsewhere && mode === 2);
    })
    .map((target) =>
      urlProblem(
        "LOOP",
        "target address",
        formatHostPort(target),
        allowed,
        `leads back to the tunnel's own port ${tunnel.port}`,
      ),
    );
}
