import type { Socket } from "node:dgram";
import type { AddressInfo } from "node:net";
import type { HostPort } from "@nodepass/url-config";
import { TunnelError } from "../errors.ts";
import type { ResolvedAddress } from "../names/name-cache.ts";
import { portOf } from "../target/port-of.ts";
import { isSameTarget, type TargetHealth } from "../target/target-health.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import type { Endpoint } from "../wire/endpoint.ts";
import { proxyHeader2 } from "../wire/proxy-header-2.ts";
import { createUdpSocket, enlargeBuffers } from "./udp-socket.ts";
import type { WaitingDatagrams } from "./waiting-datagrams.ts";

/** How an ICMP error shows on a connected socket: this address does not take datagrams. */
const REFUSALS: ReadonlySet<string | undefined> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
]);
/** When all addresses have refused, the next round begins this long after the last one, ms. */
const ROUND_MS = 1000;
/** Datagrams of a session kept for the next address until the first answer: count, and bytes. */
const MAX_KEPT = 16;
const MAX_KEPT_BYTES = 64 * 1024;

/** One address of one target. */
export interface UdpCandidate {
  readonly target: HostPort;
  readonly resolved: ResolvedAddress;
  /** It is the last address of this target. */
  readonly last: boolean;
}

/** What a tunnel's sessions know together of its targets. */
export interface LinkParts {
  readonly context: TunnelContext;
  readonly health: TargetHealth;
  /** Source address, or `undefined` for the system's choice. */
  readonly localAddress: string | undefined;
  /** What sessions keep for the next address, in case theirs refuses. */
  readonly kept: WaitingDatagrams;
  /** Whether there can be a next address. */
  readonly keeps: boolean;
  /** The addresses to try for a session, in order. @param address the user's, for `sticky` */
  candidates(session: object, address?: string): AsyncGenerator<UdpCandidate, void>;
  /** This address is the one to begin with: it answered, or the others refused. */
  served(candidate: UdpCandidate): void;
}

/** Who gets what the target sends. */
export interface TargetReceiver {
  onDatagram(datagram: Buffer): void;
}

/**
 * A session's socket to its target. An address that refuses is left for the next one, and that for
 * the next target; what was sent to it in vain goes to the next one or is counted as dropped.
 */
export class UdpTargetLink {
  readonly #targets: LinkParts;
  readonly #receiver: TargetReceiver;
  #candidates: AsyncGenerator<UdpCandidate, void>;
  #roundAt = performance.now();
  #current: UdpCandidate | undefined;
  #socket: Socket | undefined;
  #moving = false;
  /** What was sent without an answer yet; `undefined` once the address has answered. */
  #kept: Buffer[] | undefined;
  #keptBytes = 0;
  readonly #closing = new AbortController();
  /** The user, where the target is told of him. */
  readonly #source: Endpoint | undefined;
  readonly #place: number;
  /** Goes before each datagram to the present address. */
  #header: Buffer | undefined;

  /** @param source the user's address */
  constructor(
    targets: LinkParts,
    receiver: TargetReceiver,
    source: Endpoint | undefined,
    place: number,
  ) {
    this.#source = source;
    this.#place = place;
    this.#targets = targets;
    this.#receiver = receiver;
    this.#candidates = targets.candidates(this, source?.address);
    this.#kept = targets.keeps ? [] : undefined;
  }

  /** @throws {TunnelError} `TARGET_UNREACHABLE` if no address can be sent to; aborts with `signal` */
  async open(signal: AbortSignal): Promise<void> {
    try {
      const found = await this.#next(signal);
      if (!found) throw new Error("no address");
    } catch (error) {
      this.close();
      if (signal.aborted) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new TunnelError("TARGET_UNREACHABLE", `udp target unreachable: ${why}`, {
        cause: error,
      });
    }
  }

  /** Where datagrams go now. */
  remoteAddress(): AddressInfo | undefined {
    return this.#socket?.remoteAddress();
  }

  /** Sends a datagram; the buffer is given away. @returns false if it had to be dropped */
  send(datagram: Buffer): boolean {
    const socket = this.#socket;
    if (socket === undefined) return false;
    const kept = this.#kept !== undefined && this.#keep(datagram);
    // While the next address is being found only what is kept for it goes there.
    if (this.#moving && this.#kept !== undefined) return kept;
    this.#dispatch(socket, datagram);
    return true;
  }

  #dispatch(socket: Socket, datagram: Buffer): void {
    if (this.#header === undefined) socket.send(datagram);
    else socket.send([this.#header, datagram]);
  }

  /** @returns whether there was room */
  #keep(datagram: Buffer): boolean {
    const kept = this.#kept;
    if (kept === undefined || kept.length >= MAX_KEPT) return false;
    if (this.#keptBytes + datagram.length > MAX_KEPT_BYTES) return false;
    if (!this.#targets.kept.enter(datagram.length)) return false;
    kept.push(datagram);
    this.#keptBytes += datagram.length;
    return true;
  }

  #forget(): void {
    for (const { length } of this.#kept ?? []) this.#targets.kept.leave(length);
    this.#kept = undefined;
    this.#keptBytes = 0;
  }

  /** @returns whether there was another address */
  async #next(signal: AbortSignal): Promise<boolean> {
    let lastError: Error | undefined;
    for (;;) {
      const { value } = await unlessAborted(this.#candidates.next(), signal);
      if (value === undefined) {
        if (lastError !== undefined) throw lastError;
        return false;
      }
      if (isSame(value, this.#current)) {
        this.#current = value;
        return true;
      }
      const { context, localAddress } = this.#targets;
      const socket = createUdpSocket(value.resolved.family);
      try {
        const port = portOf(value.target, this.#place);
        if (port === undefined) throw new Error("its range has no such port");
        const to = { address: value.resolved.address, port };
        await connect(socket, to, localAddress, signal);
      } catch (error) {
        socket.close();
        if (signal.aborted) throw error;
        // No route to this one, most often: its family may not be there.
        lastError = error instanceof Error ? error : new Error(String(error));
        context.names.failed(value.target.host, value.resolved.address);
        if (value.last) this.#targets.health.failed(value.target, error);
        continue;
      }
      this.#take(socket, value);
      return true;
    }
  }

  #take(socket: Socket, candidate: UdpCandidate): void {
    enlargeBuffers(socket);
    this.#socket?.close();
    this.#socket = socket;
    this.#current = candidate;
    this.#header = this.#headerFor(candidate);
    let answered = false;
    socket.on("message", (datagram) => {
      if (!answered) {
        answered = true;
        this.#answered(candidate);
      }
      this.#receiver.onDatagram(datagram);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => this.#failed(socket, error));
  }

  /** Version 1 is for TCP alone. */
  #headerFor({ resolved, target }: UdpCandidate): Buffer | undefined {
    const { proxy, proxyVersion } = this.#targets.context.settings;
    if (!proxy || proxyVersion === 1 || this.#source === undefined) return undefined;
    const to = { address: resolved.address, port: portOf(target, this.#place) ?? target.port };
    return Buffer.from(proxyHeader2(this.#source, to, "udp"), "latin1");
  }

  #answered(candidate: UdpCandidate): void {
    this.#forget();
    this.#targets.served(candidate);
    this.#targets.health.worked(candidate.target);
  }

  #failed(socket: Socket, error: NodeJS.ErrnoException): void {
    const { context, health } = this.#targets;
    const current = this.#current;
    if (socket !== this.#socket || current === undefined) return;
    context.logLimited("warn", "udp target error", { error: error.message });
    if (!REFUSALS.has(error.code)) {
      context.counters.udpDropped++;
      return;
    }
    if (this.#moving) return;
    context.names.failed(current.target.host, current.resolved.address);
    if (current.last) health.failed(current.target, error);
    this.#moving = true;
    this.#move().then(
      (moved) => this.#moved(moved),
      () => this.#moved(false),
    );
  }

  /** @returns whether datagrams go elsewhere now */
  async #move(): Promise<boolean> {
    const before = this.#socket;
    const { signal } = this.#closing;
    const inTime = AbortSignal.timeout(this.#targets.context.limits.udpDialTimeoutMs);
    const either = AbortSignal.any([signal, inTime]);
    if (!(await this.#next(either)) && performance.now() - this.#roundAt >= ROUND_MS) {
      this.#roundAt = performance.now();
      this.#candidates = this.#targets.candidates(this, this.#source?.address);
      await this.#next(either);
    }
    return this.#socket !== before;
  }

  #moved(moved: boolean): void {
    this.#moving = false;
    if (this.#closing.signal.aborted) return;
    const { context } = this.#targets;
    const kept = this.#kept ?? [];
    if (moved && this.#current !== undefined) {
      // The others refused; a target that never answers is found again without asking them.
      this.#targets.served(this.#current);
      if (this.#kept === undefined) context.counters.udpDropped++;
      this.#kept ??= [];
      const socket = this.#socket;
      if (socket !== undefined) for (const datagram of kept) this.#dispatch(socket, datagram);
      return;
    }
    // One error for a datagram, about: at least one was lost.
    context.counters.udpDropped += Math.max(1, kept.length);
    if (this.#kept === undefined) return;
    this.#forget();
    this.#kept = [];
  }

  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#forget();
    this.#socket?.close();
    this.#socket = undefined;
    for (const target of this.#targets.context.settings.targets) {
      this.#targets.health.giveUp(target, this);
    }
  }
}

function isSame(one: UdpCandidate, other: UdpCandidate | undefined): boolean {
  if (other === undefined || one.resolved.address !== other.resolved.address) return false;
  return isSameTarget(one.target, other.target);
}

/** What is awaited goes on; its outcome is nobody's then. */
function unlessAborted<T>(wanted: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(new TunnelError("CLOSED", "the session has closed"));
    if (signal.aborted) aborted();
    signal.addEventListener("abort", aborted, { once: true });
    wanted.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
  });
}

function connect(
  socket: Socket,
  to: Endpoint,
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
    const dial = (): void => socket.connect(to.port, to.address, settle);
    if (local === undefined) dial();
    else socket.bind({ address: local }, dial);
  });
}
