import type { ConduitKind } from "../conduit/conduit.ts";
import type { FramedConnection } from "../conduit/framed-connection.ts";
import type { FramedStream } from "../conduit/framed-stream.ts";
import { DeadlineQueue } from "../deadline-queue.ts";
import type { TunnelError } from "../errors.ts";
import { type ByteStream, OWNED } from "../stream/byte-stream.ts";
import type { FlushQueue } from "../stream/flush-queue.ts";
import type { Lingerer } from "../stream/lingerer.ts";
import { LANE_OPEN_TCP, LANE_OPEN_UDP, LANE_WINDOW_BYTES } from "../wire/lane-frame.ts";
import { Lane, type LaneMember, type LaneOwner } from "./lane.ts";
import { LaneBranch } from "./lane-branch.ts";
import { type DatagramBounds, LaneDatagrams } from "./lane-datagrams.ts";
import type { LaneSender, Promoter } from "./lane-sender.ts";
import { LaneStream } from "./lane-stream.ts";

/** Longest wait, ms, for the other half of a promotion: the branch, or the stream that it is for. */
const MEET_MS = 5000;
/** One of so many idle pool connections is the exit's, for what it sends; at least one. */
const IDLE_FOR_EACH_GRANT = 8;
/** Most that are the exit's because it uses as many. */
const MAX_GRANTED = 64;
/** Window of streams that have outlived their session, and can't have pool connections any more. */
const OUTLIVING_WINDOW_BYTES = 1024 * 1024;

export interface LanesOptions {
  readonly role: "entry" | "exit";
  /** Entry: so many lanes are kept. */
  readonly count: number;
  readonly flushes: FlushQueue;
  /** Where lanes and granted connections of a session that is over are left. */
  readonly lingerer: Lingerer;
  readonly datagrams: DatagramBounds;
  /** Entry: takes an idle pool connection out of the pool. */
  take(): FramedConnection | undefined;
  /** Entry: idle pool connections. */
  idle(): number;
  /** Exit: the peer's user. */
  onOpen(kind: ConduitKind, stream: ByteStream, remote: string): void;
  onViolation(error: TunnelError): void;
}

/** A session's lanes, and the promotion of their streams to pool connections. */
export class Lanes implements LaneOwner, Promoter {
  readonly role: "entry" | "exit";
  readonly #options: LanesOptions;
  /** Those that take new streams. */
  readonly #open = new Set<Lane>();
  /** All that have not closed, by their ids. */
  readonly #all = new Map<number, Lane>();
  /** Pool connections that the exit may go on over. */
  readonly #granted = new Set<FramedConnection>();
  /** Streams that wait for a pool connection. */
  readonly #wanting = new Set<LaneSender>();
  /** Branches that came before the stream that they are for. */
  readonly #early = new Map<string, LaneBranch>();
  readonly #earlyTimes = new DeadlineQueue<string>(MEET_MS, (name) => this.#giveUp(name));
  /** Streams whose branch has been named and has not come. */
  readonly #awaited = new DeadlineQueue<LaneSender>(MEET_MS, (stream) => stream.reset());
  /** Grants used since the last report interval. */
  #used = 0;
  #closed = false;
  windowBytes = LANE_WINDOW_BYTES;

  constructor(options: LanesOptions) {
    this.#options = options;
    this.role = options.role;
  }

  /** Lanes without a stream. */
  get idle(): number {
    let idle = 0;
    for (const lane of this.#all.values()) if (lane.idle) idle++;
    return idle;
  }

  // Lanes.

  /** Entry: a pool connection is there. @returns whether it has a use for it */
  use(connection: FramedConnection): boolean {
    if (this.role === "exit" || this.#closed) return false;
    if (this.#open.size < this.#options.count) {
      this.#makeLane(connection);
      return true;
    }
    for (const stream of this.#wanting) {
      this.#wanting.delete(stream);
      if (stream.takeBranch(() => this.#goOn(stream, connection))) return true;
    }
    if (this.#granted.size >= this.#mostGranted()) return false;
    this.#granted.add(connection);
    connection.grant();
    return true;
  }

  #makeLane(connection: FramedConnection): Lane {
    return this.#begin(connection.id, connection.becomeLane());
  }

  #mostGranted(): number {
    const { size } = this.#granted;
    const share = Math.floor((this.#options.idle() + size) / IDLE_FOR_EACH_GRANT);
    return Math.max(1, share, this.#used);
  }

  #begin(id: string, stream: ByteStream): Lane {
    const lane = new Lane(Number.parseInt(id, 16), stream, this, this.#options.flushes);
    this.#open.add(lane);
    this.#all.set(lane.id, lane);
    stream.setReader(lane);
    return lane;
  }

  /** Exit: the peer has made a pool connection a lane. */
  onLane(stream: ByteStream, id: string, early: Buffer | undefined): void {
    const lane = this.#begin(id, stream);
    if (early !== undefined) lane.onBytes(early, early.length, OWNED);
  }

  /** Entry: opens a stream on the lane that has the fewest; `undefined` if there is none. */
  open(kind: ConduitKind, remote: string): ByteStream | undefined {
    const lane = this.#pick();
    if (lane === undefined) return undefined;
    const number = lane.nextNumber();
    lane.output.open(kind === "tcp" ? LANE_OPEN_TCP : LANE_OPEN_UDP, number, remote);
    const stream = this.#member(kind, lane, number);
    if (lane.spent) this.#retire(lane);
    return stream;
  }

  #pick(): Lane | undefined {
    let best: Lane | undefined;
    for (const lane of this.#open) {
      // One that was cut in this turn of the loop is gone when it has closed.
      if (lane.full || lane.stream.destroyed) continue;
      if (best === undefined || isBetter(lane, best)) best = lane;
    }
    if (best !== undefined) return best;
    const connection = this.#options.take();
    return connection && this.#makeLane(connection);
  }

  #member(kind: ConduitKind, lane: Lane, number: number): LaneStream | LaneDatagrams {
    const stream =
      kind === "tcp"
        ? new LaneStream(lane, number, this)
        : new LaneDatagrams(lane, number, this.#options.datagrams);
    lane.add(stream);
    return stream;
  }

  /** Exit: the peer opens a stream. */
  onOpen(lane: Lane, type: number, number: number, remote: string): void {
    const kind = type === LANE_OPEN_TCP ? "tcp" : "udp";
    const stream = this.#member(kind, lane, number);
    this.#options.onOpen(kind, stream, remote);
    if (this.#early.size === 0) return;
    const name = nameOf(lane.id, number);
    const branch = this.#early.get(name);
    if (branch === undefined) return;
    this.#forget(name);
    this.#offer(branch, stream);
  }

  onViolation(error: TunnelError): void {
    this.#options.onViolation(error);
  }

  onEmpty(lane: Lane): void {
    if (this.#closed || !this.#open.has(lane)) this.#endLane(lane);
  }

  /** It takes no new streams, and is closed when its last one is over. */
  #retire(lane: Lane): void {
    this.#open.delete(lane);
    if (lane.idle) this.#endLane(lane);
    this.#replace();
  }

  /** Only the entry closes one: the exit can't know whether it is being used at this moment. */
  #endLane(lane: Lane): void {
    const { lingerer } = this.#options;
    if (this.role === "exit") {
      lingerer.leave(lane);
      return;
    }
    this.#all.delete(lane.id);
    lane.output.finish();
    lingerer.end(lane.stream);
  }

  onClosed(lane: Lane): void {
    this.#all.delete(lane.id);
    this.#options.lingerer.gone(lane);
    for (const name of [...this.#early.keys()]) {
      if (name.startsWith(nameOf(lane.id, ""))) this.#giveUp(name);
    }
    if (this.#open.delete(lane)) this.#replace();
  }

  #replace(): void {
    if (this.role === "exit" || this.#closed || this.#open.size >= this.#options.count) return;
    const connection = this.#options.take();
    if (connection !== undefined) this.#makeLane(connection);
  }

  /** Once per report interval. @param heard whether the peer was heard of in it */
  tick(heard: boolean): void {
    this.#used = 0;
    // While nothing is heard of the peer at all, it is the session that is dead or frozen.
    if (this.role === "entry" && heard) for (const lane of this.#all.values()) lane.tick();
  }

  // Promotion.

  branchFor(stream: LaneSender): LaneBranch | undefined {
    const connection = this.role === "entry" ? this.#options.take() : this.#takeGranted();
    if (connection !== undefined) return this.#goOn(stream, connection);
    if (!this.#closed) this.#wanting.add(stream);
    return undefined;
  }

  #takeGranted(): FramedConnection | undefined {
    for (const connection of this.#granted) {
      this.#granted.delete(connection);
      if (!connection.stream.destroyed) return connection;
    }
    return undefined;
  }

  #goOn(stream: LaneSender, connection: FramedConnection): LaneBranch {
    const user = connection.goOn(stream.laneId, stream.number);
    return new LaneBranch(Number.parseInt(connection.id, 16), user);
  }

  unwanted(stream: LaneSender): void {
    this.#wanting.delete(stream);
  }

  /** Exit: the peer has given it a pool connection. */
  onGranted(connection: FramedConnection): void {
    if (this.#closed) {
      connection.stream.destroy();
      return;
    }
    for (const stream of this.#wanting) {
      this.#wanting.delete(stream);
      if (stream.takeBranch(() => this.#goOn(stream, connection))) return;
    }
    this.#granted.add(connection);
  }

  /** A granted connection was used by the peer, or has closed. */
  onGone(connection: FramedConnection): void {
    if (!this.#granted.delete(connection)) return;
    if (this.#closed) this.#options.lingerer.gone(connection);
    else if (this.role === "entry") this.#grant();
  }

  /** The peer goes on over a pool connection. */
  onGoesOn(user: FramedStream, id: string, laneId: number, number: number): void {
    const branch = new LaneBranch(Number.parseInt(id, 16), user);
    if (this.role === "entry") {
      // One more than are used in a report interval.
      this.#used = Math.min(MAX_GRANTED, Math.max(this.#used, this.#mostGranted()) + 1);
      this.#grant();
    }
    const lane = this.#all.get(laneId);
    const stream = lane?.find(number);
    if (stream !== undefined) {
      this.#offer(branch, stream);
      return;
    }
    const name = nameOf(laneId, number);
    const mayCome = this.role === "exit" && (lane === undefined || lane.mayOpen(number));
    if (!mayCome || this.#early.has(name)) {
      this.onWrongBranch(branch);
      return;
    }
    this.#early.set(name, branch);
    this.#earlyTimes.add(name);
    branch.onLost = () => this.#forget(name);
  }

  #grant(): void {
    while (!this.#closed && this.#granted.size < this.#mostGranted()) {
      const connection = this.#options.take();
      if (connection === undefined) return;
      this.#granted.add(connection);
      connection.grant();
    }
  }

  #offer(branch: LaneBranch, member: LaneMember): void {
    branch.onLost = undefined;
    if (branch.closed && !branch.stream.over) return;
    if (member instanceof LaneStream) member.offer(branch);
    else this.onWrongBranch(branch);
  }

  onWrongBranch(branch: LaneBranch): void {
    branch.stream.reset();
  }

  #forget(name: string): void {
    this.#early.delete(name);
    this.#earlyTimes.delete(name);
  }

  #giveUp(name: string): void {
    const branch = this.#early.get(name);
    this.#forget(name);
    branch?.stream.reset();
  }

  awaits(stream: LaneSender): void {
    this.#awaited.add(stream);
  }

  awaitsNoMore(stream: LaneSender): void {
    if (this.#awaited.size > 0) this.#awaited.delete(stream);
  }

  /**
   * The session is over; its streams go on. The entry closes its lanes when they are empty; what the
   * other end may be about to use is left to it for a while.
   */
  close(): void {
    this.#closed = true;
    this.windowBytes = OUTLIVING_WINDOW_BYTES;
    this.#wanting.clear();
    for (const connection of this.#granted) {
      if (this.role === "entry") this.#options.lingerer.leave(connection);
      else connection.stream.destroy();
    }
    if (this.role === "exit") this.#granted.clear();
    for (const lane of this.#open) if (lane.idle) this.#endLane(lane);
    this.#open.clear();
  }
}

function isBetter(one: Lane, other: Lane): boolean {
  if (one.doubtful !== other.doubtful) return other.doubtful;
  return one.size < other.size;
}

function nameOf(lane: number, stream: number | string): string {
  return `${lane}:${stream}`;
}
