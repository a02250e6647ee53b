import type { TunnelError } from "../errors.ts";
import type { PeerLoad } from "../peers/peer-load.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import type { EarlyReader } from "../stream/early-reader.ts";

export type ConduitKind = "tcp" | "udp";

/**
 * One user's way to the other end: what a session gives for a TCP connection or a UDP session, and
 * in single-end mode the target itself. Whose protocol it goes by, and whether it has a connection
 * of its own, only its maker knows.
 */
export interface Conduit {
  /** The user's bytes, both ways; its ends and resets are the user's. */
  readonly stream: ByteStream;
  /** UDP: each datagram has its length before it. */
  readonly framed: boolean;
  /** Who has read the stream so far, if anybody: keeps what came, and tells if it is lost. */
  readonly reader: EarlyReader | undefined;
  /** Counts what the peer at its other end carries, where there can be several. */
  load?: PeerLoad | undefined;
}

/** Somebody at an entry who needs a conduit. Exactly one of the two is called, unless cancelled. */
export interface ConduitUser {
  readonly kind: ConduitKind;
  /** The user's address, as in a signal's `remote`. */
  readonly remote: string;
  /** Which port of a range he came to, 0 for the first. @default 0 */
  readonly place?: number | undefined;
  /** The name that he asked for, where it is known. */
  readonly authority?: string | undefined;
  /** What he has sent so far. */
  readonly earlyBytes?: Buffer | undefined;
  /** It is open: set a reader of its stream at once. */
  onConduit(conduit: Conduit): void;
  /** @param error `POOL_TIMEOUT`, `TARGET_UNREACHABLE` or `CLOSED` */
  onNoConduit(error: TunnelError): void;
}

/** Where an entry gets its conduits: the tunnel's sessions, or the targets themselves. */
export interface ConduitSource {
  /** May call the user back at once. */
  request(user: ConduitUser): void;
  cancel(user: ConduitUser): void;
}

/** Who wants the conduit of an `Opening`. */
export interface ConduitClaim {
  /** Called once; `undefined` when it did not come in time. */
  onConduit(conduit: Conduit | undefined): void;
}

/** A connection or UDP session that the peer's entry begins. */
export interface Opening {
  readonly kind: ConduitKind;
  /** The user's address, `ip:port`. */
  readonly remote: string;
  /** Asks, once, for the conduit: it comes now, or later, since it may still be on its way. */
  claim(claim: ConduitClaim): void;
  /** The other side is reset, now or when the conduit comes; `claim` is not called back any more. */
  refuse(): void;
}

/** The end that dials the targets. */
export interface Exit {
  /** @param load counts what the peer carries, where there can be several */
  open(opening: Opening, load?: PeerLoad): void;
}

/** How a session carries its users over its pool connections. */
export interface Conduits {
  /** Ready pool connections. */
  readonly size: number;
  /** Those, and the others that nobody uses: what a peer closes when it hears of the session's end. */
  readonly unused: number;
  /** Whether a ready pool connection has this id. */
  has(id: string): boolean;
  /** A pool connection has come. `early` came with its opening. */
  add(stream: ByteStream, id: string, early?: Buffer): void;
  /** Entry: opens a conduit for a user; `undefined` if no pool connection is ready. */
  open(kind: ConduitKind, remote: string): Conduit | undefined;
  /** Exit: the peer's signal that it uses the pool connection `id`. */
  signalled(kind: ConduitKind, id: string, remote: string): void;
  /**
   * Once per report interval.
   *
   * @param max most ready pool connections
   * @param heard whether the peer was heard of in it
   */
  tick(max: number, heard: boolean): void;
  /** Entry: closes the ready pool connections over `most`, if it alone uses them. */
  trim(most: number): void;
  /** Closes the ready pool connections (`flush`). */
  flush(): void;
  close(): void;
}

/** Who keeps the pool full. */
export interface PoolWatcher {
  /** A pool connection was taken for a user. */
  taken(): void;
  /** One was lost without having been used. */
  lost(): void;
  /** @param total pool connections that the entry wants to have had in this session */
  needed(total: number): void;
}

export interface ConduitsOptions {
  /** Whether this end opens, or is asked to. */
  readonly role: "entry" | "exit";
  /** Who is asked; `undefined` at the entry. */
  readonly exit: Exit | undefined;
  /** A pool connection is ready for the entry. */
  onAvailable(): void;
  /** A ready pool connection has been taken for a user, or was lost. */
  onTaken(used: boolean): void;
}
