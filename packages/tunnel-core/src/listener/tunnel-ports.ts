import { formatHostPort } from "@nodepass/url-config";
import type { BoundAddress } from "../bind-address.ts";
import type { MoreCarriers } from "../carrier/more-carriers.ts";
import { type Tenancy, type Tenant, TunnelPort } from "./tunnel-port.ts";

export interface JoinOptions {
  /** Bound by a predecessor. */
  readonly from: readonly BoundAddress[];
  /** The predecessor, and where it is. */
  readonly former: { readonly tenant: Tenant; readonly tenancy: Tenancy } | undefined;
  readonly carriers: MoreCarriers | undefined;
}

/**
 * The tunnel ports of a process, or of a thread: server tunnels that are given the same `TunnelPorts`
 * share a port if they have the same tunnel address and different keys.
 *
 * @example
 * const ports = new TunnelPorts();
 * await openTunnel("server://FIRST_KEY@:10101/:8001?mode=1&tls=1", { ports });
 * await openTunnel("server://OTHER_KEY@:10101/:8002?mode=1&tls=1", { ports });
 */
export class TunnelPorts {
  readonly #ports = new Map<string, TunnelPort>();
  /** Of two that come at once for one address, the second waits what becomes of the first. */
  readonly #opening = new Map<string, Promise<unknown>>();

  /**
   * Gives a tunnel its place: on the port of its address, or on one of its own that is bound for it.
   *
   * @throws {TunnelError} `ADDRESS_IN_USE`, `BIND_FAILED` or `UNSUPPORTED_POOL_TYPE`
   */
  async join(tenant: Tenant, options: JoinOptions): Promise<Tenancy> {
    const name = formatHostPort(tenant.settings.tunnel);
    // The system chooses port 0 anew each time.
    if (tenant.settings.tunnel.port === 0) return this.#join(tenant, options);
    const before = this.#opening.get(name);
    const joined = (before ?? Promise.resolve()).then(() => this.#join(tenant, options));
    const settled = joined.then(ignore, ignore);
    this.#opening.set(name, settled);
    try {
      return await joined;
    } finally {
      if (this.#opening.get(name) === settled) this.#opening.delete(name);
    }
  }

  async #join(tenant: Tenant, { from, former, carriers }: JoinOptions): Promise<Tenancy> {
    const { tunnel } = tenant.settings;
    const theirs = former?.tenancy.port;
    const existing =
      theirs?.open === true && theirs.isAt(tunnel)
        ? theirs
        : this.#ports.get(formatHostPort(tunnel));
    if (existing?.open === true) {
      const refused = existing.refuses(tenant, former?.tenant);
      if (refused === undefined) return existing.join(tenant, former?.tenant);
      // Alone on it, a successor may read first bytes in another way, on the same listener.
      if (!existing.isOnly(former?.tenant)) throw refused;
    }
    const port = await TunnelPort.open(tenant, {
      from,
      carriers,
      onGivenUp: (left) => {
        for (const [at, one] of this.#ports) if (one === left) this.#ports.delete(at);
      },
    });
    const { asked, host } = port.bound;
    for (const at of [asked, { host, port: port.bound.port }]) {
      if (at.port !== 0) this.#ports.set(formatHostPort(at), port);
    }
    return port.join(tenant);
  }
}

function ignore(): void {
  // The one that failed tells it itself.
}
