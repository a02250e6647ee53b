import fc from "fast-check";
import { expect, test } from "vitest";
import type { ByteStream, StreamReader } from "../src/stream/byte-stream.ts";
import { LEASED, OWNED, SHARED } from "../src/stream/byte-stream.ts";
import {
  LANE_HEADER_BYTES,
  LANE_WINDOW_BYTES,
  writeLaneHeader,
  writeLaneValue,
} from "../src/wire/lane-frame.ts";
import { goOnFrame, streamHeader } from "../src/wire/stream-frame.ts";
import { type LanePair, lanePair } from "./support/lane-pair.ts";
import { type MemoryStreamOptions, memoryPair } from "./support/memory-stream.ts";

/** What one side of a user's connection does. */
interface Side {
  /** Sizes of its writes. */
  readonly writes: readonly number[];
  /** Whether it gives its bytes away by `write`, or has them copied. */
  readonly copies: boolean;
  /** Turns of the loop between two writes, and for which it stops reading now and then. */
  readonly turns: number;
  /** After how many bytes it stops reading; 0: never. */
  readonly stopsAfter: number;
  /** Whether it ends its side only when the other's end has come. */
  readonly endsLast: boolean;
}

const turn = (count: number): Promise<void> =>
  new Promise((resolve) => {
    const step = (left: number): void => {
      if (left <= 0) resolve();
      else setImmediate(step, left - 1);
    };
    step(count);
  });

/** The byte at an offset of a stream: others for each stream and direction. */
const byteAt = (seed: number, offset: number): number =>
  (offset * 31 + (offset >>> 8) * 7 + seed) & 0xff;

/** Plays a side, and checks what it hears against what the other side was to say. */
class Player implements StreamReader {
  readonly #stream: ByteStream;
  readonly #side: Side;
  readonly #seed: number;
  readonly #otherSeed: number;
  received = 0;
  ended = 0;
  closed = 0;
  readonly faults: string[] = [];
  #sinceStop = 0;
  #onDrain: (() => void) | undefined;
  #onEnd: (() => void) | undefined;
  readonly over: Promise<void>;
  #overNow: () => void = () => {};

  constructor(stream: ByteStream, side: Side, seed: number, otherSeed: number) {
    this.#stream = stream;
    this.#side = side;
    this.#seed = seed;
    this.#otherSeed = otherSeed;
    this.over = new Promise((resolve) => {
      this.#overNow = resolve;
    });
    stream.setReader(this);
    stream.resume();
    void this.#write();
  }

  async #write(): Promise<void> {
    let offset = 0;
    for (const size of this.#side.writes) {
      const bytes = Buffer.alloc(size);
      for (let at = 0; at < size; at++) bytes[at] = byteAt(this.#seed, offset + at);
      offset += size;
      const done = this.#side.copies
        ? this.#stream.writeCopy(bytes, size)
        : this.#stream.write(bytes);
      // The memory is ours again when it is done.
      if (this.#side.copies || done) bytes.fill(0xdd);
      if (!done && this.closed === 0) {
        await new Promise<void>((resolve) => {
          this.#onDrain = resolve;
        });
      }
      if (this.#side.turns > 0) await turn(this.#side.turns);
      if (this.closed > 0) return;
    }
    if (this.#side.endsLast && this.ended === 0) {
      await new Promise<void>((resolve) => {
        this.#onEnd = resolve;
      });
    }
    this.#stream.end();
  }

  onBytes(buffer: Buffer, length: number): boolean {
    if (this.ended > 0) this.faults.push("bytes after the end");
    for (let at = 0; at < length; at++) {
      if (buffer[at] === byteAt(this.#otherSeed, this.received + at)) continue;
      this.faults.push(`byte ${this.received + at} is ${buffer[at]}`);
      break;
    }
    this.received += length;
    this.#sinceStop += length;
    const { stopsAfter, turns } = this.#side;
    if (stopsAfter === 0 || this.#sinceStop < stopsAfter) return true;
    this.#sinceStop = 0;
    void turn(turns + 1).then(() => this.#stream.resume());
    return false;
  }

  onEnd(): void {
    this.ended++;
    this.#onEnd?.();
  }

  onDrain(): void {
    if (this.#stream.pendingBytes > 0) this.faults.push("drained with bytes pending");
    const told = this.#onDrain;
    this.#onDrain = undefined;
    told?.();
  }

  onError(): void {
    this.faults.push("an error");
  }

  onClose(): void {
    this.closed++;
    this.#onDrain?.();
    this.#onEnd?.();
    this.#overNow();
  }
}

const total = (side: Side): number => side.writes.reduce((sum, size) => sum + size, 0);

async function settled(pair: LanePair): Promise<void> {
  for (let left = 2000; pair.entry.unused !== pair.exit.unused; left--) {
    if (left === 0) throw new Error(`unused: ${pair.entry.unused} and ${pair.exit.unused}`);
    await turn(1);
  }
}

const W = LANE_WINDOW_BYTES;
const size = fc.oneof(
  fc.nat({ max: 100 }),
  fc.nat({ max: 20_000 }),
  fc.constantFrom(W / 2, W - 1, W, W + 1, 2 * W, 3 * W + 7),
  fc.nat({ max: 4 * W }),
);
const side: fc.Arbitrary<Side> = fc.record({
  writes: fc.array(size, { maxLength: 6 }),
  copies: fc.boolean(),
  turns: fc.nat({ max: 3 }),
  stopsAfter: fc.constantFrom(0, 0, 1, 1000, 30_000, W),
  endsLast: fc.boolean(),
});
const pool: fc.Arbitrary<MemoryStreamOptions> = fc.record({
  capacity: fc.constantFrom(500, 5000, 64 * 1024, 1024 * 1024),
  turns: fc.integer({ min: 1, max: 6 }),
  lease: fc.constantFrom(SHARED, LEASED, OWNED),
  writesAtOnce: fc.boolean(),
});

test("what is sent comes whole and in order, however many lanes and pool connections there are", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.array(pool, { minLength: 1, maxLength: 8 }),
      fc.array(fc.tuple(side, side), { minLength: 1, maxLength: 5 }),
      fc.nat({ max: 20 }),
      async (lanes, pools, users, later) => {
        const pair = lanePair(lanes);
        const add = (options: MemoryStreamOptions): void => pair.add(memoryPair(options));
        try {
          const first = Math.min(pools.length, lanes);
          for (const options of pools.slice(0, first)) add(options);
          const players: [Player, Player, Side, Side][] = [];
          for (const [at, [up, down]] of users.entries()) {
            // One that waits for the other's end, and the other for its: nobody would end.
            const other = up.endsLast ? { ...down, endsLast: false } : down;
            const { near, far } = await pair.open();
            const seeds = [at * 2 + 1, at * 2 + 2] as const;
            players.push([
              new Player(near, up, ...seeds),
              new Player(far, other, seeds[1], seeds[0]),
              up,
              other,
            ]);
          }
          await turn(later);
          // Pool connections that may be gone on over come while the users are at it.
          for (const options of pools.slice(first)) {
            add(options);
            await turn(later % 3);
          }
          await Promise.all(players.flatMap(([near, far]) => [near.over, far.over]));
          for (const [near, far, up, down] of players) {
            expect([near.faults, far.faults]).toEqual([[], []]);
            expect([near.received, far.received]).toEqual([total(down), total(up)]);
            expect([near.ended, far.ended, near.closed, far.closed]).toEqual([1, 1, 1, 1]);
          }
          expect(pair.violations).toEqual([]);
          await settled(pair);
        } finally {
          pair.close();
        }
      },
    ),
    {
      numRuns: 150,
      timeout: 20_000,
      interruptAfterTimeLimit: 60_000,
      markInterruptAsFailure: false,
    },
  );
}, 90_000);

/** A frame of a lane, well formed whatever it means. */
const laneFrame = fc
  .record({
    type: fc.integer({ min: 1, max: 9 }),
    stream: fc.integer({ min: 1, max: 4 }),
    size: fc.constantFrom(0, 1, 3, 1000, W / 2, W),
    value: fc.constantFrom(0, 1, 2, 3, W, 0xffff_ffff),
  })
  .map(({ type, stream, size: bytes, value }): Buffer => {
    const remote = "127.0.0.1:1";
    const length =
      type <= 2 ? remote.length : type === 3 ? bytes : type === 6 || type === 7 ? 4 : 0;
    const frame = Buffer.alloc(LANE_HEADER_BYTES + length);
    writeLaneHeader(frame, 0, type, length, type >= 8 ? 0 : stream);
    if (type <= 2) frame.write(remote, LANE_HEADER_BYTES);
    else if (length === 4) writeLaneValue(frame, LANE_HEADER_BYTES, value);
    return frame;
  });

const branchFrames = fc
  .record({
    grant: fc.boolean(),
    lane: fc.integer({ min: 1, max: 2 }),
    stream: fc.integer({ min: 1, max: 4 }),
    bytes: fc.nat({ max: 200 }),
    fin: fc.boolean(),
  })
  .map(({ grant, lane, stream, bytes, fin }) =>
    Buffer.concat([
      ...(grant ? [streamHeader(7, 0)] : []),
      goOnFrame(lane, stream),
      streamHeader(3, bytes),
      Buffer.alloc(bytes),
      ...(fin ? [streamHeader(4, 0)] : []),
    ]),
  );

/** Answers, ends and closes as it likes, and reads little. */
class Careless implements StreamReader {
  readonly #stream: ByteStream;
  readonly #does: number;
  constructor(stream: ByteStream, does: number) {
    this.#stream = stream;
    this.#does = does;
    stream.setReader(this);
    if (does % 3 === 0) stream.writeCopy(Buffer.alloc(100_000), 100_000);
    if (does % 5 === 0) stream.end();
    if (does % 7 === 0) stream.pause();
    if (does % 11 === 0) stream.reset();
  }
  onBytes(): boolean {
    return this.#does % 2 === 0;
  }
  onEnd(): void {
    if (this.#does % 2 === 0) this.#stream.end();
  }
  onDrain(): void {}
  onError(): void {}
  onClose(): void {}
}

test("whatever a peer sends on lanes and beside them ends connections, never the process", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(laneFrame, { maxLength: 12 }), { minLength: 1, maxLength: 2 }),
      fc.array(branchFrames, { maxLength: 3 }),
      fc.array(fc.nat({ max: 100 }), { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 1, max: 4 }),
      async (lanes, branches, does, turns) => {
        const pair = lanePair(2);
        const wires = [];
        let ids = 0;
        for (const frames of [...lanes, ...branches]) {
          const [stream, wire] = memoryPair({ turns: 1 + (ids % turns) });
          pair.exit.add(stream, (++ids).toString(16).padStart(8, "0"));
          wires.push(wire);
          if (ids <= lanes.length) wire.write(streamHeader(5, 0));
          for (const frame of [frames].flat()) wire.write(frame);
        }
        for (let round = 0; round < 30; round++) {
          for (const opening of pair.openings.splice(0)) {
            opening.claim({
              onConduit: (conduit) => {
                conduit?.reader?.takeEarly();
                if (conduit !== undefined) new Careless(conduit.stream, does[round % 4] ?? 0);
              },
            });
          }
          await turn(1);
        }
        for (const wire of wires) wire.destroy();
        await turn(10);
        pair.close();
        await turn(5);
        expect(pair.exit.unused).toBe(0);
      },
    ),
    { numRuns: 400 },
  );
}, 60_000);
