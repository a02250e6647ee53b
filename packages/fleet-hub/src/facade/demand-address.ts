import { ServiceError } from "@nodepass/model";
import { formatHostPort, isWildcard, parseHostPort } from "@nodepass/url-config";

/**
 * A master's address goes into the URLs of clients, before a port.
 *
 * @throws {ServiceError} `INVALID` for what is neither empty, a host name nor an IP address
 */
export function demandAddress(text: string): void {
  if (text === "" || (isHost(text) && !isWildcard(text))) return;
  throw new ServiceError(
    "INVALID",
    `address: ${JSON.stringify(text.slice(0, 80))} is neither a host name nor an IP address (allowed: hub.example.org, 192.0.2.1, 2001:db8::1, without a port, or nothing)`,
  );
}

function isHost(text: string): boolean {
  try {
    return parseHostPort(formatHostPort({ host: text, port: 1 })).host === text;
  } catch {
    return false;
  }
}
