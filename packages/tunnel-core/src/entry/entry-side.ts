import type { Socket } from "node:net";
import { type BoundAddress, bindRange } from "../bind-address.ts";
import { TunnelError } from "../errors.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { UdpEntry } from "../udp/udp-entry.ts";
import { ConduitQueue } from "./conduit-queue.ts";
import type { EntryPorts } from "./entry-ports.ts";
import { type PortCounts, portCountsOf } from "./port-counts.ts";
import { TcpEntry } from "./tcp-entry.ts";

/** The users' side of a dual-end tunnel; it outlives sessions, so users wait out a reconnect. */
export class EntrySide {
  readonly queue: ConduitQueue;
  readonly #context: TunnelContext;
  readonly tcp: TcpEntry;
  readonly #udp: UdpEntry[] = [];
  /** The port, or each of a range. */
  #bound: readonly BoundAddress[] = [];
  /** Of each port of a range. */
  counts: readonly PortCounts[] = [];
  readonly #onConnection = (socket: Socket): void => this.tcp.accept(socket);

  readonly #ports: EntryPorts | undefined;

  /** @param ports that are shared with other tunnels by names */
  constructor(context: TunnelContext, ports?: EntryPorts) {
    this.#ports = ports;
    this.#context = context;
    const { poolGetTimeoutMs, semaphoreLimit } = context.limits;
    this.queue = new ConduitQueue(poolGetTimeoutMs, semaphoreLimit, context.latencies.poolWait);
    this.tcp = new TcpEntry(context, this.queue);
  }

  /**
   * Binds the first target address, or each port of its range, for the users.
   *
   * @param from bound by a predecessor, to be taken over
   * @throws {TunnelError} as `bindAddress`
   */
  async open(from: readonly BoundAddress[] | undefined): Promise<BoundAddress> {
    const { settings } = this.#context;
    const names = settings.scheme === "server" ? settings.hosts : [];
    const at = settings.targets[0] ?? { host: "", port: 0 };
    const all = await bindRange(at, {
      tcp: settings.tcp,
      // Datagrams name nobody: they are whose who takes the rest.
      udp: settings.udp && names.length === 0,
      share: this.#ports && { ports: this.#ports, names },
      from,
      onError: (error) => {
        this.#context.logLimited("error", "listener failed", { error: error.message });
      },
    });
    this.#bound = all;
    this.counts = portCountsOf(all);
    for (const [place, bound] of all.entries()) {
      const at = this.counts[place];
      bound.serve(at === undefined ? this.#onConnection : (socket) => this.tcp.accept(socket, at), {
        context: this.#context,
        names,
        takeRouted: (stream, origin) => this.tcp.takeRouted(stream, origin, at),
      });
      if (bound.udp !== undefined) {
        this.#udp.push(new UdpEntry(this.#context, this.queue, bound.udp, at));
      }
    }
    const [first] = all;
    if (first === undefined) throw new TunnelError("BIND_FAILED", "there is no port to bind");
    return first;
  }

  /** @param succeeded UDP sessions go on: a successor has the port */
  stopTaking(succeeded: boolean): void {
    this.queue.close();
    if (succeeded) for (const bound of this.#bound) bound.stopTaking();
    else this.#leave();
  }

  close(): void {
    this.queue.close();
    this.#leave();
    this.tcp.close();
  }

  /** Gives the address away; only TCP connections that were accepted go on. */
  #leave(): void {
    for (const udp of this.#udp) udp.close();
    for (const bound of this.#bound) bound.close();
  }
}
