import type { Socket } from "node:dgram";
import type { AddressInfo } from "node:net";
import type { HostPort } from "@nodepass/url-config";
import type { DeadlineQueue } from "../deadline-queue.ts";
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
  /** Links that look for an address to send to; `timeUp` ends it. */
  readonly searches: DeadlineQueue<UdpTargetLink>;
  /** The addresses to try for a session, in order. @param address the user's, for `sticky` */
  candidates(session: object, address?: string): AsyncGenerator<UdpCandidate, void>;
  /** This address is the one to begin with: it answered, or the others refused. */
  served(candidate: UdpCandidate): void;
}

/** Who has a link. `onOpen` or `onFailed` is called once, never inside `open`, nothing after `close`. */
export interface TargetReceiver {
  /** An address can be sent to. */
  onOpen(): void;
  /** None can. @param error `TARGET_UNREACHABLE`; the link has closed */
  onFailed(error: TunnelError): void;
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
  /** The search for an address that is going on; one that was given up finds another number here. */
  #search = 0;
  #onFound: ((found: boolean, error?: unknown) => void) | undefined;
  #closed = false;
  /** What was sent without an answer yet; `undefined` once the address has answered. */
  #kept: Buffer[] | undefined;
  #keptBytes = 0;
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

  open(): void {
    this.#find(
      () => this.#next(),
      (found, error) => {
        if (found) {
          this.#receiver.onOpen();
          return;
        }
        this.close();
        const why = error instanceof Error ? error.message : "no address";
        const message = `udp target unreachable: ${why}`;
        this.#receiver.onFailed(new TunnelError("TARGET_UNREACHABLE", message, { cause: error }));
      },
    );
  }

  /** @param onFound called once, unless the link closes before */
  #find(search: () => Promise<boolean>, onFound: (found: boolean, error?: unknown) => void): void {
    const number = ++this.#search;
    this.#onFound = onFound;
    this.#targets.searches.add(this);
    search().then(
      (found) => this.#found(number, found),
      (error: unknown) => this.#found(number, false, error),
    );
  }

  #found(number: number, found: boolean, error?: unknown): void {
    if (number !== this.#search) return;
    this.#targets.searches.delete(this);
    const onFound = this.#onFound;
    this.#giveUp();
    onFound?.(found, error);
  }

  /** What is awaited goes on; its outcome is nobody's. */
  #giveUp(): void {
    this.#search++;
    this.#onFound = undefined;
  }

  /** No address was found in time. */
  timeUp(): void {
    const { udpDialTimeoutMs } = this.#targets.context.limits;
    this.#found(this.#search, false, new Error(`no address within ${udpDialTimeoutMs} ms`));
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
  async #next(): Promise<boolean> {
    const search = this.#search;
    let lastError: Error | undefined;
    for (;;) {
      const { value } = await this.#candidates.next();
      if (search !== this.#search) return false;
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
        await connect(socket, to, localAddress);
      } catch (error) {
        socket.close();
        if (search !== this.#search) return false;
        // No route to this one, most often: its family may not be there.
        lastError = error instanceof Error ? error : new Error(String(error));
        context.names.failed(value.target.host, value.resolved.address);
        if (value.last) this.#targets.health.failed(value.target, error);
        continue;
      }
      if (search !== this.#search) {
        socket.close();
        return false;
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
    this.#find(
      () => this.#move(),
      () => this.#moved(this.#socket !== socket),
    );
  }

  /** The next address, or the first one of the next round. */
  async #move(): Promise<boolean> {
    const search = this.#search;
    if (await this.#next()) return true;
    if (search !== this.#search || performance.now() - this.#roundAt < ROUND_MS) return false;
    this.#roundAt = performance.now();
    this.#candidates = this.#targets.candidates(this, this.#source?.address);
    return this.#next();
  }

  #moved(moved: boolean): void {
    this.#moving = false;
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
    if (this.#closed) return;
    this.#closed = true;
    this.#targets.searches.delete(this);
    this.#giveUp();
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

function connect(socket: Socket, to: Endpoint, local: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      socket.off("error", settle);
      if (error === undefined) resolve();
      else reject(error);
    };
    socket.once("error", settle);
    const dial = (): void => socket.connect(to.port, to.address, settle);
    if (local === undefined) dial();
    else socket.bind({ address: local }, dial);
  });
}
