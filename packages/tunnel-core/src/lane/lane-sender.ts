import type { Lease, StreamReader } from "../stream/byte-stream.ts";
import { CarriedStream } from "../stream/carried-stream.ts";
import { DETACHED_READER } from "../stream/detached-reader.ts";
import {
  LANE_FIN,
  LANE_MOVE,
  LANE_WINDOW_BYTES,
  MAX_LANE_WINDOW_BYTES,
} from "../wire/lane-frame.ts";
import type { Lane, LaneMember } from "./lane.ts";
import type { BranchOwner, LaneBranch } from "./lane-branch.ts";

/** Most bytes of one data frame that is sent: others get between those of a large write. */
export const MAX_FRAME_BYTES = 16 * 1024;

/** Where the streams of a session's lanes get pool connections of their own. */
export interface Promoter {
  /** A pool connection over which the stream goes on; `undefined`: it is offered one later. */
  branchFor(stream: LaneSender): LaneBranch | undefined;
  /** It needs none any more. */
  unwanted(stream: LaneSender): void;
  /** The peer has said that it goes on over a pool connection that has not shown itself yet. */
  awaits(stream: LaneSender): void;
  /** That has come, or the stream is over. */
  awaitsNoMore(stream: LaneSender): void;
  /** The peer went on over a pool connection that is not the stream's. */
  onWrongBranch(branch: LaneBranch): void;
  /** How many bytes a peer may have under way. It never becomes smaller. */
  readonly windowBytes: number;
}

/** What a user's stream on a lane sends: over the lane as far as its window goes, then over a branch. */
export abstract class LaneSender extends CarriedStream implements LaneMember, BranchOwner {
  reader: StreamReader = DETACHED_READER;
  readonly number: number;
  /** The id of its lane. */
  readonly laneId: number;
  protected readonly promoter: Promoter;
  /** While the peer may say something about the stream on it. */
  protected lane: Lane | undefined;
  protected closed = false;
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

  constructor(lane: Lane, number: number, promoter: Promoter) {
    super(lane.stream);
    this.lane = lane;
    this.laneId = lane.id;
    this.number = number;
    this.promoter = promoter;
  }

  /** Looks whether the lane, or the whole stream, is needed no more. */
  protected abstract settle(): void;
  abstract reset(): void;
  abstract onDataFrame(length: number): boolean;
  abstract onData(bytes: Buffer, lease: Lease): void;
  abstract onControl(type: number, value: number): void;
  abstract onLaneClosed(): void;
  abstract onBranchClosed(branch: LaneBranch): void;

  setReader(reader: StreamReader): void {
    this.reader = reader;
  }

  /** What goes out has gone on over it. */
  protected get out(): LaneBranch | undefined {
    return this.#out;
  }

  /** Nothing goes out over the lane any more. */
  protected get hasLeft(): boolean {
    return this.#finSent || this.#out !== undefined;
  }

  write(bytes: Buffer, headRoom = 0): boolean {
    const out = this.#out;
    if (out !== undefined) return !this.closed && out.stream.write(bytes, headRoom);
    const { length } = bytes;
    if (this.#fits(length)) return this.#send(bytes, length);
    const branch = this.#branch(length);
    if (branch !== undefined) return branch.stream.write(bytes, headRoom);
    return this.#keep(bytes);
  }

  writeCopy(buffer: Buffer, length: number): boolean {
    const out = this.#out;
    if (out !== undefined) return !this.closed && out.stream.writeCopy(buffer, length);
    if (this.#fits(length)) return this.#send(buffer, length);
    const branch = this.#branch(length);
    if (branch !== undefined) return branch.stream.writeCopy(buffer, length);
    return this.#keep(Buffer.from(buffer.subarray(0, length)));
  }

  #fits(length: number): boolean {
    return length <= this.#room && this.#keptBytes === 0 && this.lane?.output.takes === true;
  }

  #send(buffer: Buffer, length: number): boolean {
    const lane = this.lane;
    if (lane === undefined) return false;
    this.#room -= length;
    for (let at = 0; at < length; at += MAX_FRAME_BYTES) {
      lane.output.data(this.number, buffer, at, Math.min(MAX_FRAME_BYTES, length - at));
    }
    return true;
  }

  /** It wants `length` bytes, more than its window: a branch, if there is one. */
  #branch(length: number): LaneBranch | undefined {
    if (this.lane === undefined || this.#keptBytes + length <= this.#room) return undefined;
    const branch = this.promoter.branchFor(this);
    if (branch === undefined) return undefined;
    // Somebody waits for what was kept: he hears of it whether or not this write is done, too.
    if (this.#keptBytes > 0) process.nextTick(drainNow, this);
    this.#moveTo(branch);
    return branch;
  }

  #keep(bytes: Buffer): boolean {
    if (this.lane === undefined) return false;
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
    const lane = this.lane;
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
      this.promoter.unwanted(this);
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
    if (this.#finWanted || this.closed) return;
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
    this.lane?.output.control(LANE_FIN, this.number);
    this.#finSent = true;
    if (this.#onFinDone !== undefined) process.nextTick(this.#onFinDone);
    this.#onFinDone = undefined;
    this.settle();
  }

  /** Goes on over the branch, with what is kept. */
  #moveTo(branch: LaneBranch): void {
    branch.owner = this;
    this.lane?.output.value(LANE_MOVE, this.number, branch.id);
    this.#out = branch;
    const kept = this.#kept;
    this.#kept = undefined;
    this.#keptBytes = 0;
    this.promoter.unwanted(this);
    if (kept !== undefined) {
      kept.forEach((bytes, at) => {
        branch.stream.write(at === 0 ? bytes.subarray(this.#keptFrom) : bytes);
      });
    }
    if (this.#finWanted) branch.stream.end(this.#onFinDone);
    this.#onFinDone = undefined;
    this.settle();
  }

  /** A branch for a stream that has waited for one. @returns whether it took it */
  takeBranch(make: () => LaneBranch | undefined): boolean {
    if (this.closed || this.#out !== undefined || this.#keptBytes === 0) return false;
    const branch = make();
    if (branch === undefined) return false;
    this.#moveTo(branch);
    if (branch.stream.pendingBytes === 0) this.reader.onDrain();
    return true;
  }

  onBranchDrain(branch: LaneBranch): void {
    if (branch === this.#out) this.reader.onDrain();
  }

  protected onCredit(bytes: number): void {
    if (this.#out !== undefined) return;
    this.#room += bytes;
    if (this.#room > MAX_LANE_WINDOW_BYTES) {
      this.reset();
      return;
    }
    if (this.#keptBytes === 0) return;
    this.#sendKept();
    if (this.#keptBytes === 0) this.#drained();
  }

  /** Our own direction goes over the peer's branch too, unless it has ended or has one. */
  protected follow(branch: LaneBranch): void {
    if (this.#out !== undefined || this.#finSent) {
      branch.stream.end();
      return;
    }
    const waited = this.#keptBytes > 0;
    this.#moveTo(branch);
    if (waited && branch.stream.pendingBytes === 0) this.reader.onDrain();
  }

  /** What was written goes nowhere. */
  protected dropKept(): void {
    this.#kept = undefined;
    this.#keptBytes = 0;
    this.promoter.unwanted(this);
  }

  get destroyed(): boolean {
    return this.closed;
  }
}

function drainNow(stream: LaneSender): void {
  if (!stream.destroyed && stream.pendingBytes === 0) stream.reader.onDrain();
}
