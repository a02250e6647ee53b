import { parseHostPort } from "./host-port.ts";
import type { Flow } from "./other-end.ts";
import { UrlConfigError, urlProblem } from "./url-problem.ts";

/** What is said of a pair whose ends a fleet brings together. */
export interface PairPlan {
  /** Where users connect: `:port` or `host:port`; `auto` for a port takes a free one. */
  readonly entry: string;
  /** Where they are led to; several with commas. */
  readonly target: string;
  /** `reverse`: users connect at the server, the target is at the client; `forward`: the other way. */
  readonly flow: Flow;
  /** The server's parameter. @default "1" */
  readonly tls?: string | undefined;
}

/** How the two addresses are written. */
const forms = {
  entry: ":port, host:port, or auto for the port",
  target: "host:port or [IPv6]:port",
} as const;

/**
 * The URLs of both ends, for a fleet's hub. It fills in what they leave open: the port between the two, the
 * client's tunnel address, which is the server's master, and a key.
 *
 * @throws {UrlConfigError} `INVALID_URL` for an address that is none; the problem's parameter is `entry` or
 *   `target`
 * @example
 * pairUrls({ entry: ":8080", target: "127.0.0.1:80", flow: "reverse" }).server; // "server://:auto/:8080?mode=1&tls=1"
 */
export function pairUrls({ entry, target, flow, tls = "1" }: PairPlan): {
  readonly server: string;
  readonly client: string;
} {
  check("entry", entry.replace(/:auto$/, ":0"), entry);
  for (const one of target.split(",")) check("target", one, one);
  const [atServer, atClient] = flow === "reverse" ? [entry, target] : [target, entry];
  const mode = flow === "reverse" ? 1 : 2;
  return {
    server: `server://:auto/${atServer}?mode=${mode}&tls=${tls}`,
    client: `client://auto/${atClient}?mode=2`,
  };
}

function check(name: keyof typeof forms, address: string, given: string): void {
  try {
    parseHostPort(address);
  } catch {
    const problem = urlProblem("INVALID_VALUE", name, given, forms[name], "is no address");
    throw new UrlConfigError("INVALID_URL", [problem]);
  }
}
