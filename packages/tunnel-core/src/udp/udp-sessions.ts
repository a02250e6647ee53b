import type { RemoteInfo } from "node:dgram";
import type { UdpDoor } from "./udp-listener.ts";

/** A user's session: who asks, and where. */
export interface UdpSession {
  /** As the door's socket writes it. */
  from: RemoteInfo;
  /** Where the user asked last, and is answered from. */
  door: UdpDoor;
  /** The user behind a proxy that is trusted, `ip:port`: one of several on its socket. */
  readonly visitor?: string | undefined;
}

/** The sessions of a tunnel's users, by the user's address and the one that was asked. */
export class UdpSessions<T extends UdpSession> {
  readonly #sessions = new Map<string, T>();

  find(from: RemoteInfo, door: UdpDoor, visitor?: string): T | undefined {
    if (visitor !== undefined) return this.#sessions.get(nameOf({ from, door, visitor }));
    const user = `${from.address}:${from.port}`;
    if (door.name === "") return this.#sessions.get(user);
    return this.#sessions.get(`${user}>${door.name}`) ?? this.#moved(from, door);
  }

  /** A session from before the address that was asked had a socket of its own. */
  #moved(from: RemoteInfo, door: UdpDoor): T | undefined {
    const session =
      this.#sessions.get(`${from.address}:${from.port}`) ??
      this.#sessions.get(`${MAPPED}${from.address}:${from.port}`);
    if (session === undefined) return undefined;
    this.delete(session);
    session.door = door;
    session.from = from;
    this.add(session);
    return session;
  }

  add(session: T): void {
    this.#sessions.set(nameOf(session), session);
  }

  delete(session: T): void {
    this.#sessions.delete(nameOf(session));
  }

  all(): T[] {
    return [...this.#sessions.values()];
  }

  of(door: UdpDoor): T[] {
    return this.all().filter((session) => session.door === door);
  }
}

function nameOf({ from, door, visitor }: UdpSession): string {
  const user = `${from.address}:${from.port}${visitor === undefined ? "" : `<${visitor}`}`;
  return door.name === "" ? user : `${user}>${door.name}`;
}

/** How a socket for both families writes an IPv4 address (RFC 4291, section 2.5.5.2). */
const MAPPED = "::ffff:";

/** A user whose datagram came to another door, as this one's socket writes the address. */
export function userAt(door: UdpDoor, from: RemoteInfo): RemoteInfo {
  if (door.name === "" || !from.address.startsWith(MAPPED)) return from;
  return { ...from, address: from.address.slice(MAPPED.length), family: "IPv4" };
}
