import type { ByteStream, Lease } from "../stream/byte-stream.ts";
import { OWNED } from "../stream/byte-stream.ts";
import {
  LANE_CREDIT,
  LANE_FIN,
  LANE_MOVE,
  LANE_RESET,
  LANE_WINDOW_BYTES,
} from "../wire/lane-frame.ts";
import type { LaneBranch } from "./lane-branch.ts";
import { LaneSender, MAX_FRAME_BYTES } from "./lane-sender.ts";

/**
 * A user's TCP connection on a lane. Each direction goes on, when it wants more than the window allows,
 * over a pool connection: a branch. Whoever goes on brings the branch; the peer's direction follows on
 * the same one, unless it has gone or ended already.
 */
export class LaneStream extends LaneSender implements ByteStream {
  #told = false;
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

  onDataFrame(length: number): boolean {
    if (this.#peer !== "sends" || length > this.#allowed) {
      this.reset();
      return false;
    }
    this.#allowed -= length;
    return true;
  }

  onData(bytes: Buffer, lease: Lease): void {
    if (this.closed) return;
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
    const { windowBytes } = this.promoter;
    const credit = this.#taken + windowBytes - this.#window;
    this.#window = windowBytes;
    this.#taken = 0;
    this.#allowed += credit;
    this.lane?.output.value(LANE_CREDIT, this.number, credit);
  }

  onControl(type: number, value: number): void {
    switch (type) {
      case LANE_CREDIT:
        this.onCredit(value);
        return;
      case LANE_FIN:
        this.#onFin();
        return;
      case LANE_MOVE:
        this.#onMove(value);
        return;
      case LANE_RESET:
        this.lane?.remove(this);
        this.#break();
        return;
    }
  }

  #onFin(): void {
    if (this.#peer !== "sends") {
      this.reset();
      return;
    }
    this.#peer = "ended";
    if (this.#held === undefined) this.#tellEnd();
    this.settle();
  }

  #tellEnd(): void {
    this.#endTold = true;
    this.reader.onEnd();
  }

  #onMove(branch: number): void {
    if (this.#peer !== "sends") {
      this.reset();
      return;
    }
    this.#peer = "moved";
    this.#movedTo = branch;
    this.#meet();
  }

  /** The peer has brought a branch. */
  offer(branch: LaneBranch): void {
    const late = this.#peer === "moved" && this.#movedTo !== branch.id;
    if (this.closed || this.#offered !== undefined || this.#peer === "ended" || late) {
      this.promoter.onWrongBranch(branch);
      return;
    }
    branch.owner = this;
    branch.stream.readAtMost(this.#readAtMost);
    this.#offered = branch;
    if (this.#peer === "moved") this.#meet();
  }

  /** The peer has said where it goes on: the branch of that name, if it is here. */
  #meet(): void {
    const own = this.out?.id === this.#movedTo ? this.out : undefined;
    const branch = own ?? (this.#offered?.id === this.#movedTo ? this.#offered : undefined);
    if (this.#offered !== undefined && this.#offered !== branch) {
      const wrong = this.#offered;
      this.#offered = undefined;
      wrong.owner = undefined;
      this.promoter.onWrongBranch(wrong);
    }
    if (branch === undefined) {
      this.promoter.awaits(this);
      return;
    }
    this.promoter.awaitsNoMore(this);
    this.#in = branch;
    branch.stream.readAtMost(this.#readAtMost);
    if (branch !== own) this.follow(branch);
    this.#deliverAll();
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
    if (this.closed) return;
    if (taken > 0) this.#consumed(taken);
    if ((this.#held === undefined && this.#in === undefined) || this.#deliversLater) return;
    // Not from inside this method.
    this.#deliversLater = true;
    process.nextTick(deliverNow, this);
  }

  deliverLater(): void {
    this.#deliversLater = false;
    if (!this.closed) this.#deliverAll();
  }

  /** What was held back, then what has come over the branch, then the end. */
  #deliverAll(): void {
    this.#deliverHeld();
    if (this.#held !== undefined || this.closed) return;
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
    this.settle();
  }

  #deliverHeld(): void {
    const held = this.#held;
    while (held !== undefined && !this.#blocked && !this.closed) {
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
  protected settle(): void {
    if (this.closed || this.#peer === "sends") return;
    if (this.#peer === "moved" && this.#in === undefined) return;
    if (!this.hasLeft) return;
    const lane = this.lane;
    this.lane = undefined;
    lane?.remove(this);
    const inOver =
      this.#peer === "ended" ? this.#endTold : this.#joined && this.#in?.closed === true;
    const outOver = this.out === undefined || this.out.closed;
    if (!inOver || !outOver) return;
    this.closed = true;
    // Not from inside the method of this stream that has brought it about.
    process.nextTick(closeNow, this);
  }

  onBranchClosed(branch: LaneBranch): void {
    if (this.closed) return;
    if (branch.stream.over) this.settle();
    else this.#break();
  }

  onLaneClosed(): void {
    this.lane = undefined;
    this.#break();
  }

  /** What carries it has broken, or the peer has reset it. */
  #break(): void {
    if (this.closed) return;
    this.#shut();
    this.close();
  }

  /** Also where the peer has broken the rules for this stream. */
  reset(): void {
    if (this.closed) return;
    this.#shut();
    process.nextTick(closeNow, this);
  }

  #shut(): void {
    this.closed = true;
    const lane = this.lane;
    this.lane = undefined;
    if (lane?.find(this.number) === this) {
      lane.output.control(LANE_RESET, this.number);
      lane.remove(this);
    }
    this.out?.stream.reset();
    this.#in?.stream.reset();
    this.#offered?.stream.reset();
    this.dropKept();
    this.#held = undefined;
    this.promoter.awaitsNoMore(this);
  }

  /** Where the other side sees a reset. */
  destroy(): void {
    this.reset();
  }

  close(): void {
    if (this.#told) return;
    this.#told = true;
    this.reader.onClose();
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

function deliverNow(stream: LaneStream): void {
  stream.deliverLater();
}

function closeNow(stream: LaneStream): void {
  stream.close();
}
