import type { Socket } from "node:dgram";
import { isIP } from "node:net";
import type { HostPort } from "@nodepass/url-config";
import { TunnelError } from "../errors.ts";
import type { ResolvedAddress } from "../names/name-cache.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { createUdpSocket, enlargeBuffers } from "./udp-socket.ts";

/** How long a target that has refused a datagram is the last choice, ms. */
const REFUSED_MS = 5000;

/** Opens UDP sockets that are connected to a target, the targets in turn. */
export class UdpTargets {
  readonly #context: TunnelContext;
  readonly #targetOf = new WeakMap<Socket, HostPort>();
  readonly #refusedAt = new Map<HostPort, number>();
  #next = 0;

  constructor(context: TunnelContext) {
    this.#context = context;
  }

  /**
   * A connected socket to the next target whose name resolves.
   *
   * @throws {TunnelError} `TARGET_UNREACHABLE`
   */
  async open(signal: AbortSignal): Promise<Socket> {
    let lastError: unknown;
    for (const target of this.#inTurn()) {
      try {
        const socket = await this.#connect(target, signal);
        this.#targetOf.set(socket, target);
        return socket;
      } catch (error) {
        if (signal.aborted) throw error;
        lastError = error;
      }
    }
    const why = lastError instanceof Error ? lastError.message : "no address";
    throw new TunnelError("TARGET_UNREACHABLE", `udp target unreachable: ${why}`, {
      cause: lastError,
    });
  }

  /**
   * A datagram to this socket's target was refused (an ICMP error).
   *
   * @returns whether there is another target: end the session, and its user's next one goes there
   */
  refused(socket: Socket): boolean {
    const target = this.#targetOf.get(socket);
    if (target === undefined || this.#context.settings.targets.length < 2) return false;
    this.#refusedAt.set(target, performance.now());
    return true;
  }

  /** The targets, beginning with the next one; those that refused a moment ago come last. */
  #inTurn(): readonly HostPort[] {
    const { targets } = this.#context.settings;
    const first = this.#next;
    this.#next = (first + 1) % targets.length;
    const turn = first === 0 ? targets : [...targets.slice(first), ...targets.slice(0, first)];
    if (this.#refusedAt.size === 0) return turn;
    const since = performance.now() - REFUSED_MS;
    const refused = (target: HostPort): boolean => (this.#refusedAt.get(target) ?? since) > since;
    return [...turn.filter((target) => !refused(target)), ...turn.filter(refused)];
  }

  async #connect(target: HostPort, signal: AbortSignal): Promise<Socket> {
    const addresses = await this.#context.names.resolve(target.host);
    const { dial } = this.#context.settings;
    const local = dial === "auto" ? undefined : dial;
    let lastError: unknown = new TunnelError(
      "TARGET_UNREACHABLE",
      `target ${target.host} has no address of the family of dial address ${local ?? "auto"}`,
    );
    // Nothing tells a sender that nobody listens at the other family's address; 1.14 takes IPv4.
    const inOrder = addresses.toSorted((one, other) => one.family - other.family);
    for (const resolved of inOrder) {
      if (local !== undefined && isIP(local) !== resolved.family) continue;
      const socket = createUdpSocket(resolved.family);
      try {
        await connect(socket, resolved, target.port, local, signal);
      } catch (error) {
        socket.close();
        if (signal.aborted) throw error;
        // No route to this one, most often: its family may not be there.
        lastError = error;
        continue;
      }
      enlargeBuffers(socket);
      return socket;
    }
    throw lastError;
  }
}

function connect(
  socket: Socket,
  resolved: ResolvedAddress,
  port: number,
  local: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      socket.off("error", settle);
      signal.removeEventListener("abort", aborted);
      if (error === undefined) resolve();
      else reject(error);
    };
    const aborted = (): void => settle(new TunnelError("CLOSED", "the session has closed"));
    signal.addEventListener("abort", aborted, { once: true });
    socket.once("error", settle);
    const dial = (): void => socket.connect(port, resolved.address, settle);
    if (local === undefined) dial();
    else socket.bind({ address: local }, dial);
  });
}
