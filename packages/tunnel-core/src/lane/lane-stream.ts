import type { ByteStream, Lease, StreamReader } from "../stream/byte-stream.ts";
import { OWNED } from "../stream/byte-stream.ts";
import { DETACHED_READER } from "../stream/detached-reader.ts";
import {
  LANE_CREDIT,
  LANE_FIN,
  LANE_MOVE,
  LANE_RESET,
  LANE_WINDOW_BYTES,
  MAX_LANE_WINDOW_BYTES,
} from "../wire/lane-frame.ts";
import type { Lane, LaneMember } from "./lane.ts";
import type { BranchOwner, LaneBranch } from "./lane-branch.ts";

/** Most bytes of one data frame that is sent: others get between those of a large write. */
const MAX_FRAME_BYTES = 16 * 1024;

/** Where the streams of a session's lanes get pool connections of their own. */
export interface Promoter {
  /** A pool connection over which the stream goes on; `undefined`: it is offered one later. */
  branchFor(stream: LaneStream): LaneBranch | undefined;
  /** It needs none any more. */
  unwanted(stream: LaneStream): void;
  /** The peer has said that it goes on over a pool connection that has not shown itself yet. */
  awaits(stream: LaneStream): void;
  /** That has come, or the stream is over. */
  awaitsNoMore(stream: LaneStream): void;
  /** The peer went on over a pool connection that is not the stream's. */
  onWrongBranch(branch: LaneBranch): void;
  /** How many bytes a peer may have under way. It never becomes smaller. */
  readonly windowBytes: number;
}

/**
 * A user's TCP connection on a lane. Each direction goes on, when it wants more than the window allows,
 * over a pool connection: a branch. Whoever goes on brings the branch; the peer's direction follows on
 * the same one, unless it has gone or ended already.
 */
export class LaneStream implements ByteStream, LaneMember, BranchOwner {
  reader: StreamReader = DETACHED_READER;
  readonly number: number;
  /** The id of its lane. */
  readonly laneId: number;
  readonly #carrier: ByteStream;
  readonly #promoter: Promoter;
  /** While the peer may say something about the stream on it. */
  #lane: Lane | undefined;
  #closed = false;
  #told = false;

  // What goes out.
  /** Bytes that the peer takes now. */
  #room = LANE_WINDOW_BYTES;
  /** What was written and can't be sent yet; the first `#keptFrom` bytes of it have gone. */
  #kept: Buffer[] | undefined;
  #keptFrom = 0;
  #keptBytes = 0;
  #out: LaneBranch | undefined;
  #finWanted = false;
  #finSent = false;
  #onFinDone: (() => void) | undefined;

  // What comes in.
  /** Bytes that the peer may send now. */
  #allowed = LANE_WINDOW_BYTES;
  #window = LANE_WINDOW_BYTES;
  /** Bytes that the reader has taken and the peer has no credit for yet; and those being taken. */
  #taken = 0;
  #taking = 0;
  #blocked = false;
  #held: Buffer[] | undefined;
  #deliversLater = false;
  #peer: "sends" | "ended" | "moved" = "sends";
  #endTold = false;
  /** Where the peer's direction goes on, the branch that the peer has brought, and which it is. */
  #movedTo = 0;
  #offered: LaneBranch | undefined;
  #in: LaneBranch | undefined;
  #readAtMost: number | undefined;

  constructor(lane: Lane, number: number, promoter: Promoter) {
    this.#lane = lane;
    this.#carrier = lane.stream;
    this.laneId = lane.id;
    this.number = number;
    this.#promoter = promoter;
  }

  setReader(reader: StreamReader): void {
    this.reader = reader;
  }

  // Sending.

  write(bytes: Buffer, headRoom = 0): boolean {
    const out = this.#out;
    if (out !== undefined) return !this.#closed && out.stream.write(bytes, headRoom);
    const { length } = bytes;
    if (this.#fits(length)) return this.#send(bytes, length);
    const branch = this.#branch(length);
    if (branch !== undefined) return branch.stream.write(bytes, headRoom);
    return this.#keep(bytes);
  }

  writeCopy(buffer: Buffer, length: number): boolean {
    const out = this.#out;
    if (out !== undefined) return !this.#closed && out.stream.writeCopy(buffer, length);
    if (this.#fits(length)) return this.#send(buffer, length);
    const branch = this.#branch(length);
    if (branch !== undefined) return branch.stream.writeCopy(buffer, length);
    return this.#keep(Buffer.from(buffer.subarray(0, length)));
  }

  #fits(length: number): boolean {
    return length <= this.#room && this.#keptBytes === 0 && this.#lane?.output.takes === true;
  }

  #send(buffer: Buffer, length: number): boolean {
    const lane = this.#lane;
    if (lane === undefined) return false;
    this.#room -= length;
    for (let at = 0; at < length; at += MAX_FRAME_BYTES) {
      lane.output.data(this.number, buffer, at, Math.min(MAX_FRAME_BYTES, length - at));
    }
    return true;
  }

  /** It wants `length` bytes, more than its window: a branch, if there is one. */
  #branch(length: number): LaneBranch | undefined {
    if (this.#lane === undefined || this.#keptBytes + length <= this.#room) return undefined;
    const branch = this.#promoter.branchFor(this);
    if (branch === undefined) return undefined;
    // Somebody waits for what was kept: he hears of it whether or not this write is done, too.
    if (this.#keptBytes > 0) process.nextTick(drainNow, this);
    this.#moveTo(branch);
    return branch;
  }

  #keep(bytes: Buffer): boolean {
    if (this.#lane === undefined) return false;
    if (bytes.length > 0) {
      this.#kept ??= [];
      this.#kept.push(bytes);
      this.#keptBytes += bytes.length;
      this.#sendKept();
    }
    return this.#keptBytes === 0;
  }

  /** Sends what window and lane have room for. @returns whether it waits for the lane */
  #sendKept(most = Number.POSITIVE_INFINITY): boolean {
    const lane = this.#lane;
    const kept = this.#kept;
    if (lane === undefined || kept === undefined) return false;
    let left = Math.min(most, this.#room, this.#keptBytes);
    while (left > 0 && lane.output.takes) {
      const first = kept[0];
      if (first === undefined) break;
      const length = Math.min(left, MAX_FRAME_BYTES, first.length - this.#keptFrom);
      lane.output.data(this.number, first, this.#keptFrom, length);
      left -= length;
      this.#room -= length;
      this.#keptBytes -= length;
      this.#keptFrom += length;
      if (this.#keptFrom === first.length) {
        kept.shift();
        this.#keptFrom = 0;
      }
    }
    if (this.#keptBytes === 0) {
      this.#kept = undefined;
      this.#promoter.unwanted(this);
      return false;
    }
    if (this.#room === 0) return false;
    if (!lane.output.takes) lane.wait(this);
    return true;
  }

  onRoom(): boolean {
    const waits = this.#sendKept(MAX_FRAME_BYTES);
    if (this.#keptBytes === 0) this.#drained();
    return waits;
  }

  /** All that was written has gone, outside of a method of the stream. */
  #drained(): void {
    this.reader.onDrain();
    if (this.#finWanted && !this.#finSent && this.#out === undefined) this.#sendFin();
  }

  get pendingBytes(): number {
    const out = this.#out;
    return out === undefined ? this.#keptBytes : out.stream.pendingBytes;
  }

  get writesAtOnce(): boolean {
    return this.#out?.stream.writesAtOnce ?? true;
  }

  end(done?: () => void): void {
    if (this.#finWanted || this.#closed) return;
    this.#finWanted = true;
    const out = this.#out;
    if (out !== undefined) {
      out.stream.end(done);
      return;
    }
    this.#onFinDone = done;
    if (this.#keptBytes === 0) this.#sendFin();
  }

  #sendFin(): void {
    this.#lane?.output.control(LANE_FIN, this.number);
    this.#finSent = true;
    if (this.#onFinDone !== undefined) process.nextTick(this.#onFinDone);
    this.#onFinDone = undefined;
    this.#settle();
  }

  /** Goes on over the branch, with what is kept. */
  #moveTo(branch: LaneBranch): void {
    branch.owner = this;
    this.#lane?.output.value(LANE_MOVE, this.number, branch.id);
    this.#out = branch;
    const kept = this.#kept;
    this.#kept = undefined;
    this.#keptBytes = 0;
    this.#promoter.unwanted(this);
    if (kept !== undefined) {
      kept.forEach((bytes, at) => {
        branch.stream.write(at === 0 ? bytes.subarray(this.#keptFrom) : bytes);
      });
    }
    if (this.#finWanted) branch.stream.end(this.#onFinDone);
    this.#onFinDone = undefined;
    this.#settle();
  }

  /** A branch for a stream that has waited for one. @returns whether it took it */
  takeBranch(make: () => LaneBranch | undefined): boolean {
    if (this.#closed || this.#out !== undefined || this.#keptBytes === 0) return false;
    const branch = make();
    if (branch === undefined) return false;
    this.#moveTo(branch);
    if (branch.stream.pendingBytes === 0) this.reader.onDrain();
    return true;
  }

  onBranchDrain(branch: LaneBranch): void {
    if (branch === this.#out) this.reader.onDrain();
  }

  // Receiving.

  onDataFrame(length: number): boolean {
    if (this.#peer !== "sends" || length > this.#allowed) {
      this.#violated();
      return false;
    }
    this.#allowed -= length;
    return true;
  }

  onData(bytes: Buffer, lease: Lease): void {
    if (this.#closed) return;
    if (this.#blocked || this.#held !== undefined) {
      this.#held ??= [];
      // A view would keep all of a read for a few bytes.
      this.#held.push(Buffer.from(bytes));
      return;
    }
    this.#deliver(bytes, lease);
  }

  #deliver(bytes: Buffer, lease: Lease): void {
    const { length } = bytes;
    if (this.reader.onBytes(bytes, length, lease) && !this.#blocked) {
      this.#consumed(length);
    } else {
      this.#blocked = true;
      this.#taking += length;
    }
  }

  /** The reader has taken bytes: the peer may send others in their place. */
  #consumed(length: number): void {
    this.#taken += length;
    if (this.#taken < LANE_WINDOW_BYTES / 2 || this.#peer !== "sends") return;
    const { windowBytes } = this.#promoter;
    const credit = this.#taken + windowBytes - this.#window;
    this.#window = windowBytes;
    this.#taken = 0;
    this.#allowed += credit;
    this.#lane?.output.value(LANE_CREDIT, this.number, credit);
  }

  onControl(type: number, value: number): void {
    switch (type) {
      case LANE_CREDIT:
        this.#onCredit(value);
        return;
      case LANE_FIN:
        this.#onFin();
        return;
      case LANE_MOVE:
        this.#onMove(value);
        return;
      case LANE_RESET:
        this.#lane?.remove(this);
        this.#break();
        return;
    }
  }

  #onCredit(bytes: number): void {
    if (this.#out !== undefined) return;
    this.#room += bytes;
    if (this.#room > MAX_LANE_WINDOW_BYTES) {
      this.#violated();
      return;
    }
    if (this.#keptBytes === 0) return;
    this.#sendKept();
    if (this.#keptBytes === 0) this.#drained();
  }

  #onFin(): void {
    if (this.#peer !== "sends") {
      this.#violated();
      return;
    }
    this.#peer = "ended";
    if (this.#held === undefined) this.#tellEnd();
    this.#settle();
  }

  #tellEnd(): void {
    this.#endTold = true;
    this.reader.onEnd();
  }

  #onMove(branch: number): void {
    if (this.#peer !== "sends") {
      this.#violated();
      return;
    }
    this.#peer = "moved";
    this.#movedTo = branch;
    this.#meet();
  }

  /** The peer has brought a branch. */
  offer(branch: LaneBranch): void {
    const late = this.#peer === "moved" && this.#movedTo !== branch.id;
    if (this.#closed || this.#offered !== undefined || this.#peer === "ended" || late) {
      this.#promoter.onWrongBranch(branch);
      return;
    }
    branch.owner = this;
    this.#offered = branch;
    if (this.#peer === "moved") this.#meet();
  }

  /** The peer has said where it goes on: the branch of that name, if it is here. */
  #meet(): void {
    const own = this.#out?.id === this.#movedTo ? this.#out : undefined;
    const branch = own ?? (this.#offered?.id === this.#movedTo ? this.#offered : undefined);
    if (this.#offered !== undefined && this.#offered !== branch) {
      const wrong = this.#offered;
      this.#offered = undefined;
      wrong.owner = undefined;
      this.#promoter.onWrongBranch(wrong);
    }
    if (branch === undefined) {
      this.#promoter.awaits(this);
      return;
    }
    this.#promoter.awaitsNoMore(this);
    this.#in = branch;
    branch.stream.readAtMost(this.#readAtMost);
    if (branch !== own) this.#follow(branch);
    this.#deliverAll();
  }

  /** Our own direction goes over the peer's branch too, unless it has ended or has one. */
  #follow(branch: LaneBranch): void {
    if (this.#out !== undefined || this.#finSent) {
      branch.stream.end();
      return;
    }
    const waited = this.#keptBytes > 0;
    this.#moveTo(branch);
    if (waited && branch.stream.pendingBytes === 0) this.reader.onDrain();
  }

  pause(): void {
    if (this.#joined) this.#in?.stream.pause();
    else this.#blocked = true;
  }

  get #joined(): boolean {
    return this.#in?.joined === true;
  }

  resume(): void {
    if (this.#joined) {
      this.#in?.stream.resume();
      return;
    }
    if (!this.#blocked) return;
    this.#blocked = false;
    const taken = this.#taking;
    this.#taking = 0;
    if (this.#closed) return;
    if (taken > 0) this.#consumed(taken);
    if ((this.#held === undefined && this.#in === undefined) || this.#deliversLater) return;
    // Not from inside this method.
    this.#deliversLater = true;
    process.nextTick(deliverNow, this);
  }

  deliverLater(): void {
    this.#deliversLater = false;
    if (!this.#closed) this.#deliverAll();
  }

  /** What was held back, then what has come over the branch, then the end. */
  #deliverAll(): void {
    this.#deliverHeld();
    if (this.#held !== undefined || this.#closed) return;
    if (this.#peer === "ended" && !this.#endTold) this.#tellEnd();
    const branch = this.#in;
    if (branch !== undefined && !branch.joined && !this.#blocked) {
      const early = branch.takeEarly()?.bytes;
      if (early !== undefined) {
        this.#held = piecesOf(early);
        this.#deliverAll();
        return;
      }
      branch.join(this.reader);
      if (branch.closed) this.onBranchClosed(branch);
    }
    this.#settle();
  }

  #deliverHeld(): void {
    const held = this.#held;
    while (held !== undefined && !this.#blocked && !this.#closed) {
      const first = held.shift();
      if (first === undefined) break;
      this.#deliver(first, OWNED);
    }
    if (held?.length === 0) this.#held = undefined;
  }

  hold(): void {
    this.#in?.stream.hold();
  }

  /** What lies before its bytes may be another frame's. */
  get headRoom(): number {
    return 0;
  }

  readAtMost(bytes: number | undefined): void {
    this.#readAtMost = bytes;
    this.#in?.stream.readAtMost(bytes);
  }

  rest(): void {
    this.#in?.stream.rest();
  }

  // Its end.

  /** The lane is needed no more when nothing comes or goes over it; the stream, when all has ended. */
  #settle(): void {
    if (this.#closed || this.#peer === "sends") return;
    if (this.#peer === "moved" && this.#in === undefined) return;
    if (!this.#finSent && this.#out === undefined) return;
    const lane = this.#lane;
    this.#lane = undefined;
    lane?.remove(this);
    const inOver =
      this.#peer === "ended" ? this.#endTold : this.#joined && this.#in?.closed === true;
    const outOver = this.#out === undefined || this.#out.closed;
    if (!inOver || !outOver) return;
    this.#closed = true;
    // Not from inside the method of this stream that has brought it about.
    process.nextTick(closeNow, this);
  }

  onBranchClosed(branch: LaneBranch): void {
    if (this.#closed) return;
    if (branch.stream.over) this.#settle();
    else this.#break();
  }

  onLaneClosed(): void {
    this.#lane = undefined;
    this.#break();
  }

  /** What carries it has broken, or the peer has reset it. */
  #break(): void {
    if (this.#closed) return;
    this.#shut();
    this.close();
  }

  /** The peer has broken the rules for this stream. */
  #violated(): void {
    if (this.#closed) return;
    this.#shut();
    process.nextTick(closeNow, this);
  }

  reset(): void {
    if (this.#closed) return;
    this.#shut();
    process.nextTick(closeNow, this);
  }

  #shut(): void {
    this.#closed = true;
    const lane = this.#lane;
    this.#lane = undefined;
    if (lane?.find(this.number) === this) {
      lane.output.control(LANE_RESET, this.number);
      lane.remove(this);
    }
    this.#out?.stream.reset();
    this.#in?.stream.reset();
    this.#offered?.stream.reset();
    this.#kept = undefined;
    this.#keptBytes = 0;
    this.#held = undefined;
    this.#promoter.unwanted(this);
    this.#promoter.awaitsNoMore(this);
  }

  /** Where the other side sees a reset. */
  destroy(): void {
    this.reset();
  }

  get destroyed(): boolean {
    return this.#closed;
  }

  close(): void {
    if (this.#told) return;
    this.#told = true;
    this.reader.onClose();
  }

  get remoteAddress(): string | undefined {
    return this.#carrier.remoteAddress;
  }
  get remotePort(): number | undefined {
    return this.#carrier.remotePort;
  }
  get localAddress(): string | undefined {
    return this.#carrier.localAddress;
  }
  get localPort(): number | undefined {
    return this.#carrier.localPort;
  }
  get peerFingerprint(): string | undefined {
    return this.#carrier.peerFingerprint;
  }
  get ownFingerprint(): string | undefined {
    return this.#carrier.ownFingerprint;
  }
}

/** Little at a time: a rate limit may be counting. */
function piecesOf(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += MAX_FRAME_BYTES) {
    pieces.push(bytes.subarray(at, at + MAX_FRAME_BYTES));
  }
  return pieces;
}

function drainNow(stream: LaneStream): void {
  if (!stream.destroyed && stream.pendingBytes === 0) stream.reader.onDrain();
}

function deliverNow(stream: LaneStream): void {
  stream.deliverLater();
}

function closeNow(stream: LaneStream): void {
  stream.close();
}
