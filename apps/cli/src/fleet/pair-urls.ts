import { parseHostPort } from "@nodepass/url-config";
import { CliError, exitCodes } from "../exit-code.ts";

/** What is said of a pair. */
export interface PairOptions {
  /** Where users connect: `:port` or `host:port`; `auto` for a port takes a free one. */
  readonly entry: string;
  /** Where they are led to. */
  readonly target: string;
  /** `reverse`: users connect at the server, the target is at the client; `forward`: the other way. */
  readonly flow: "reverse" | "forward";
  readonly tls: boolean;
}

/**
 * The URLs of both ends. The hub fills in what they leave open: the port between the two, the client's
 * tunnel address, which is the server's master, and a key.
 *
 * @throws {CliError} usage for an address that is none
 */
export function pairUrls({ entry, target, flow, tls }: PairOptions): {
  readonly server: string;
  readonly client: string;
} {
  const [users, service] = [checked("--entry", entry), checked("--target", target)];
  const [atServer, atClient] = flow === "reverse" ? [users, service] : [service, users];
  const mode = flow === "reverse" ? 1 : 2;
  return {
    server: `server://:auto/${atServer}?mode=${mode}&tls=${tls ? 1 : 0}`,
    client: `client://auto/${atClient}?mode=2`,
  };
}

/** An address that a tunnel can have; its port may be `auto` where users connect. */
function checked(option: string, text: string): string {
  const isEntry = option === "--entry";
  const told = isEntry ? text.replace(/:auto$/, ":0") : text;
  try {
    parseHostPort(told);
    return text;
  } catch {
    const allowed = isEntry ? ":port, host:port, or auto for the port" : "host:port or [IPv6]:port";
    throw new CliError(`${option} ${JSON.stringify(text)} is no address; allowed: ${allowed}`, {
      exitCode: exitCodes.usage,
    });
  }
}
