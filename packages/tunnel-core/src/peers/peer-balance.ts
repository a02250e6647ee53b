import type { BalanceMode } from "@nodepass/url-config";
import type { Conduit, ConduitKind } from "../conduit/conduit.ts";
import type { Session } from "../session/session.ts";
import type { PeerLoad } from "./peer-load.ts";

/** One of the peers that take users. */
export interface BalancedPeer {
  /** From 1; the first that came has the lowest. */
  readonly number: number;
  readonly session: Pick<Session, "open" | "want" | "ping" | "answers" | "terms">;
  /** `undefined` where there can be only one: nothing is counted then. */
  readonly load: PeerLoad | undefined;
}

interface Seat {
  readonly peer: BalancedPeer;
  /** When it was given a user last, in users. */
  turn: number;
}

/**
 * Gives each user to one of the peers. Whichever way they are chosen, nobody waits while one of them
 * has a connection ready, and one that does not answer its ping gets nobody while others do.
 */
export class PeerBalance {
  readonly #mode: BalanceMode | undefined;
  readonly #seats: Seat[] = [];
  #turns = 0;

  /** @param mode `lbs`; `undefined`: fewest connections */
  constructor(mode: BalanceMode | undefined) {
    this.#mode = mode;
  }

  get size(): number {
    return this.#seats.length;
  }

  /** What one of the peers knows. */
  get terms(): Pick<Session["terms"], "ports"> {
    return { ports: this.#seats.some(({ peer }) => peer.session.terms.ports === true) };
  }

  add(peer: BalancedPeer): void {
    this.#seats.push({ peer, turn: 0 });
  }

  delete(peer: BalancedPeer): void {
    const at = this.#seats.findIndex((seat) => seat.peer === peer);
    if (at >= 0) this.#seats.splice(at, 1);
  }

  /** A conduit of one of the peers, if one has a pool connection ready. */
  open(kind: ConduitKind, remote: string): Conduit | undefined {
    const only = this.#seats[0];
    if (only === undefined) return undefined;
    if (this.#seats.length === 1) return this.#openAt(only, kind, remote);
    const seats = this.#answering(remote);
    const first = seats.reduce((best, seat) => (this.#compare(seat, best) < 0 ? seat : best));
    const conduit = this.#openAt(first, kind, remote);
    if (conduit !== undefined || seats.length === 1) return conduit;
    // Its pool is empty at this moment.
    for (const seat of seats.filter((other) => other !== first).sort(this.#compare)) {
      const another = this.#openAt(seat, kind, remote);
      if (another !== undefined) return another;
    }
    return undefined;
  }

  #openAt(seat: Seat, kind: ConduitKind, remote: string): Conduit | undefined {
    const { session, load } = seat.peer;
    const conduit = session.open(kind, remote);
    if (conduit === undefined || load === undefined) return conduit;
    seat.turn = ++this.#turns;
    conduit.load = load;
    return conduit;
  }

  /** So many users wait: each is asked for its part. */
  want(waiting: number): void {
    if (this.#seats.length === 0) return;
    const seats = this.#answering();
    const each = Math.ceil(waiting / seats.length);
    for (const { peer } of seats) peer.session.want(each);
  }

  /**
   * Those that answer; all if none does: a slow one is better than none. A user at a later port of a
   * range is for those who can be told of it; there is one, else he would not be here.
   */
  #answering(remote?: string): readonly Seat[] {
    if (this.#seats.length < 2) return this.#seats;
    const able =
      remote?.includes("#") === true
        ? this.#seats.filter(({ peer }) => peer.session.terms.ports === true)
        : this.#seats;
    const now = performance.now();
    const answering = able.filter(({ peer }) => peer.session.answers(now));
    return answering.length > 0 ? answering : able;
  }

  readonly #compare = (one: Seat, other: Seat): number => {
    // Of equals, the one whose turn is longest ago.
    return this.#rank(one.peer) - this.#rank(other.peer) || one.turn - other.turn;
  };

  /** The lowest goes first. */
  #rank({ session, load, number }: BalancedPeer): number {
    switch (this.#mode) {
      case 0:
        return 0;
      case 1:
        return session.ping === 0 ? Number.MAX_SAFE_INTEGER : session.ping;
      case 2:
        return number;
      case undefined:
        return load?.size ?? 0;
    }
  }
}
