import type { RemoteInfo, Socket } from "node:dgram";
import { isIP } from "node:net";
import { askedAddress, followAddresses } from "./local-addresses.ts";
import { createUdpSocket, enlargeBuffers } from "./udp-socket.ts";

/** Most addresses that are bound beside the wildcard. */
const MAX_ADDRESSES = 64;

/** A bound socket, and the users' sessions that came to it. */
export interface UdpDoor {
  readonly socket: Socket;
  /** Part of the names of its sessions: empty for the socket that was bound first. */
  readonly name: string;
}

export interface DoorKeeper {
  /** Whether a session is open for this user: it goes on while a successor has the door. */
  knows(from: RemoteInfo, door: UdpDoor): boolean;
  onDatagram(datagram: Buffer, from: RemoteInfo, door: UdpDoor): void;
  /** The door's address is gone, and with it all that was answered from there. */
  onGone(door: UdpDoor): void;
}

/** Families of the wildcard's addresses. */
export type WildcardFamilies = 4 | 6 | "both";

export interface UdpListenerOptions {
  /** Bound. */
  readonly socket: Socket;
  /** It is bound to all addresses of these families; `undefined`: to one. */
  readonly wildcard: WildcardFamilies | undefined;
}

/**
 * Where users' datagrams come in. A socket that is bound to all addresses answers from the one that
 * the system chooses, which need not be the one that was asked: there is a socket beside it for each
 * of the host's addresses, new and vanished ones are followed.
 *
 * It can pass from one tunnel to the next without being closed: the keeper who came last gets new
 * users' datagrams, those before it the ones of the sessions that they have. It is closed when
 * nobody holds it any more.
 */
export class UdpListener {
  readonly #options: UdpListenerOptions;
  readonly #main: UdpDoor;
  readonly #doors = new Map<string, UdpDoor>();
  /** Addresses whose coming and going the host tells. */
  readonly #listed = new Set<string>();
  /** Who gets what new users send. */
  #keeper: DoorKeeper | undefined;
  /** Who had it before and still has sessions, oldest first; `undefined` as a rule. */
  #formers: DoorKeeper[] | undefined;
  readonly #holders: ((error: Error) => void)[] = [];
  #unfollow: (() => void) | undefined;
  #closed = false;

  constructor(options: UdpListenerOptions) {
    this.#options = options;
    this.#main = { socket: options.socket, name: "" };
    options.socket.on("error", (error) => this.#holders.at(-1)?.(error));
  }

  /** Keeps it open. @param onError gets the errors (an ICMP error) while it holds it last */
  hold(onError: (error: Error) => void): void {
    this.#holders.push(onError);
  }

  /** Closes it if nobody else holds it. */
  release(onError: (error: Error) => void): void {
    const at = this.#holders.indexOf(onError);
    if (at >= 0) this.#holders.splice(at, 1);
    if (this.#holders.length === 0) this.#close();
  }

  /** Nobody holds it any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The port, once bound. */
  get port(): number {
    return this.#main.socket.address().port;
  }

  /** Begins to take datagrams. */
  start(keeper: DoorKeeper): void {
    const former = this.#keeper;
    this.#keeper = keeper;
    if (former !== undefined) {
      this.#formers = [...(this.#formers ?? []), former];
      return;
    }
    this.#serve(this.#main);
    const { wildcard } = this.#options;
    if (wildcard === undefined) return;
    const { port } = this;
    this.#unfollow = followAddresses((addresses) => this.#follow(addresses, port));
  }

  /** A keeper has no sessions any more; the one before the last gets new users again. */
  stop(keeper: DoorKeeper): void {
    const others = (this.#formers ?? []).filter((former) => former !== keeper);
    // The last of all stays: its door is closed in the same turn.
    if (this.#keeper === keeper && others.length > 0) this.#keeper = others.pop();
    this.#formers = others.length === 0 ? undefined : others;
  }

  /**
   * Where a new user is answered from. All of 127.0.0.0/8 is this host's, though no list says so:
   * a user on this host who asked such an address is looked up in the system's table.
   */
  doorFor(from: RemoteInfo, door: UdpDoor): UdpDoor {
    const { wildcard } = this.#options;
    if (door !== this.#main || wildcard === undefined || wildcard === 6) return door;
    if (!/^(?:::ffff:)?127\./.test(from.address)) return door;
    const asked = askedAddress(from, this.port);
    if (asked === undefined || !asked.startsWith("127.")) return door;
    return this.#doors.get(asked) ?? this.#open(asked, 4, this.port, false) ?? door;
  }

  #serve(door: UdpDoor): void {
    door.socket.on("message", (datagram, from) => {
      const former = this.#formers?.find((each) => each.knows(from, door));
      (former ?? this.#keeper)?.onDatagram(datagram, from, door);
    });
  }

  #follow(addresses: ReadonlySet<string>, port: number): void {
    for (const [address, door] of this.#doors) {
      if (this.#listed.has(address) && !addresses.has(address)) this.#gone(address, door);
    }
    const { wildcard } = this.#options;
    for (const address of addresses) {
      const family = isIP(address) === 6 ? 6 : 4;
      if (wildcard !== "both" && wildcard !== family) continue;
      if (!this.#doors.has(address)) this.#open(address, family, port, true);
    }
  }

  #open(address: string, family: 4 | 6, port: number, listed: boolean): UdpDoor | undefined {
    if (this.#doors.size >= MAX_ADDRESSES) return undefined;
    const socket = createUdpSocket(family, { reuseAddress: true });
    const door = { socket, name: address };
    this.#doors.set(address, door);
    if (listed) this.#listed.add(address);
    socket.on("error", (error) => {
      // Not bound: an address that is still being made, or held by another program. The wildcard
      // serves it meanwhile.
      if (this.#doors.get(address) === door) this.#gone(address, door);
      this.#holders.at(-1)?.(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      enlargeBuffers(socket);
      this.#serve(door);
    });
    // A failure to bind is told from inside `bind`: it is closed then.
    return this.#doors.get(address) === door ? door : undefined;
  }

  #gone(address: string, door: UdpDoor): void {
    this.#doors.delete(address);
    this.#listed.delete(address);
    for (const former of this.#formers ?? []) former.onGone(door);
    this.#keeper?.onGone(door);
    door.socket.close();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unfollow?.();
    for (const { socket } of this.#doors.values()) socket.close();
    this.#doors.clear();
    this.#main.socket.close();
  }
}
