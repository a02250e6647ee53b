import type { Socket } from "node:dgram";
import { isIP } from "node:net";
import type { HostPort } from "@nodepass/url-config";
import { TunnelError } from "../errors.ts";
import type { ResolvedAddress } from "../names/name-cache.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { createUdpSocket, enlargeBuffers } from "./udp-socket.ts";

/** Opens UDP sockets that are connected to a target, the targets in turn. */
export class UdpTargets {
  readonly #context: TunnelContext;
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
    const { targets } = this.#context.settings;
    const first = this.#next;
    this.#next = (first + 1) % targets.length;
    let lastError: unknown;
    for (let tried = 0; tried < targets.length; tried++) {
      const target = targets[(first + tried) % targets.length];
      if (target === undefined) continue;
      try {
        return await this.#connect(target, signal);
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

  async #connect(target: HostPort, signal: AbortSignal): Promise<Socket> {
    const addresses = await this.#context.names.resolve(target.host);
    const { dial } = this.#context.settings;
    const local = dial === "auto" ? undefined : dial;
    let lastError: unknown = new TunnelError(
      "TARGET_UNREACHABLE",
      `target ${target.host} has no address of the family of dial address ${local ?? "auto"}`,
    );
    for (const resolved of addresses) {
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
