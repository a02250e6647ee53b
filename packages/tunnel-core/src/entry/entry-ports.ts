import { formatHostPort, type HostPort } from "@nodepass/url-config";
import { TunnelError } from "../errors.ts";
import type { ConnectionTaker, TcpListener } from "../listener/tcp-listener.ts";

/**
 * The users' ports of a process, or of a thread: server tunnels that are given the same `EntryPorts`
 * share one if they have the same target address and other names (`host`).
 *
 * @example
 * const entries = new EntryPorts();
 * await openTunnel("server://KEY@:10101/:443?mode=1&host=app.example.com", { entries });
 * await openTunnel("server://KEY@:10102/:443?mode=1&host=*.dev.example.com", { entries });
 */
export class EntryPorts {
  readonly #listeners = new Map<string, TcpListener>();
  /** Of two that come at once for one address, the second waits what becomes of the first. */
  readonly #opening = new Map<string, Promise<unknown>>();

  /**
   * @internal The listener of an address, which the caller holds: bound already, or bound now.
   *
   * @throws {TunnelError} `ADDRESS_IN_USE` if somebody else has one of the names, or what `bind` throws
   */
  async listen(
    at: HostPort,
    names: readonly string[],
    bind: () => Promise<TcpListener>,
  ): Promise<TcpListener> {
    // The system chooses port 0 anew each time.
    const name = formatHostPort(at);
    const before = this.#opening.get(name);
    const opened = (before ?? Promise.resolve()).then(() => this.#listen(name, at, names, bind));
    const settled = opened.then(ignore, ignore);
    this.#opening.set(name, settled);
    try {
      return await opened;
    } finally {
      if (this.#opening.get(name) === settled) this.#opening.delete(name);
    }
  }

  async #listen(
    name: string,
    at: HostPort,
    names: readonly string[],
    bind: () => Promise<TcpListener>,
  ): Promise<TcpListener> {
    const existing = at.port === 0 ? undefined : this.#listeners.get(name);
    if (existing !== undefined && !existing.closed) {
      checkNames(existing, at, names, undefined);
      existing.hold();
      return existing;
    }
    const listener = await bind();
    const address = listener.server.address();
    const port = typeof address === "object" && address !== null ? address.port : at.port;
    const bound = formatHostPort({ host: at.host, port });
    this.#listeners.set(bound, listener);
    listener.onClosed = () => {
      if (this.#listeners.get(bound) === listener) this.#listeners.delete(bound);
    };
    return listener;
  }
}

/** @throws {TunnelError} `ADDRESS_IN_USE` if another than `former` has one of the names */
export function checkNames(
  listener: TcpListener,
  at: HostPort,
  names: readonly string[],
  former: ConnectionTaker | undefined,
): void {
  const taken = listener.taken(names, former);
  if (taken === undefined) return;
  const where = `address ${formatHostPort(at)} (tcp) is in use`;
  throw new TunnelError(
    "ADDRESS_IN_USE",
    taken === ""
      ? `${where} by another tunnel without host: several on one need names`
      : `${where} for the name ${taken} by another tunnel`,
  );
}

function ignore(): void {
  // The one that failed tells it itself.
}
