import { createHash, randomBytes } from "node:crypto";
import { getDefaultHighWaterMark, setDefaultHighWaterMark } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type ByteStream, LEASED, type Lease, SHARED } from "../../src/stream/byte-stream.ts";
import { RecordingReader } from "./recording-reader.ts";

/** Both ends of one stream, open, and how to put away what carries it. */
export interface StreamPair {
  /** The side that was dialled. */
  readonly near: ByteStream;
  /** The side that was accepted. */
  readonly far: ByteStream;
  close(): Promise<void> | void;
}

export interface StreamSuiteOptions {
  /**
   * False where Node can read a reset that overtakes unread records as an end (TLS: there is no
   * close_notify, and it does not say so). Frames never depend on it.
   */
  readonly tellsResetBehindData?: boolean | undefined;
}

const MARKS = [
  ["the default marks", undefined],
  ["marks of 4 MiB set by the host program", 4 * 1024 * 1024],
] as const;

/** Looks again as often as the loop turns: what is waited for takes no longer. */
const soon = (look: () => void): Promise<void> => vi.waitFor(look, { interval: 1 });

const MANY = 8 * 1024 * 1024;

/**
 * What every implementation of `ByteStream` has to do, whatever high-water mark the program around it
 * has set.
 *
 * @param open opens a fresh pair; nothing has been written yet
 */
export function byteStreamSuite(
  name: string,
  open: () => Promise<StreamPair>,
  options: StreamSuiteOptions = {},
): void {
  describe.each(MARKS)(`${name} as a ByteStream, with %s`, (_title, mark) => {
    const before = getDefaultHighWaterMark(false);
    let pair: StreamPair;
    let near: RecordingReader;
    let far: RecordingReader;

    beforeAll(() => {
      if (mark !== undefined) setDefaultHighWaterMark(false, mark);
    });
    afterAll(() => setDefaultHighWaterMark(false, before));

    beforeEach(async () => {
      pair = await open();
      pair.near.pause();
      pair.far.pause();
      near = new RecordingReader(pair.near);
      far = new RecordingReader(pair.far);
    });
    afterEach(async () => {
      pair.near.destroy();
      pair.far.destroy();
      await pair.close();
    });

    /** From which side the bytes go. */
    const sides = ["near", "far"] as const;
    const from = (side: "near" | "far"): [RecordingReader, RecordingReader] =>
      side === "near" ? [near, far] : [far, near];

    test.each(sides)("bytes from the %s side come whole behind a slow reader", async (side) => {
      const [writer, reader] = from(side);
      reader.stopsAfter = 200_000;
      writer.stream.resume();
      reader.stream.resume();
      const sent = createHash("sha256");
      const block = Buffer.alloc(300_000);
      let left = MANY;
      while (left > 0) {
        // The same memory over and over: whoever says that it is done must mean it.
        const piece = block.subarray(
          0,
          Math.min(left, 1 + Math.floor(Math.random() * block.length)),
        );
        piece.set(randomBytes(Math.min(piece.length, 4096)));
        piece.fill(left & 0xff, Math.min(piece.length, 4096));
        sent.update(piece);
        left -= piece.length;
        if (!writer.stream.write(piece)) await writer.drained();
        expect(writer.stream.pendingBytes).toBe(0);
      }
      writer.stream.end();
      await reader.ended();
      expect(reader.bytes).toBe(MANY);
      expect(reader.digest()).toBe(sent.digest("hex"));
    });

    test.each(sides)("copies from the %s side may be overwritten at once", async (side) => {
      const [writer, reader] = from(side);
      writer.stream.resume();
      reader.stream.resume();
      const sent = createHash("sha256");
      const block = Buffer.alloc(5000);
      for (let count = 0; count < 400; count++) {
        block.fill(count & 0xff);
        sent.update(block.subarray(0, 10 * count + 1));
        writer.stream.writeCopy(block, 10 * count + 1);
      }
      block.fill(0);
      writer.stream.end();
      await reader.ended();
      expect(reader.digest()).toBe(sent.digest("hex"));
    });

    test.each(sides)("a reader that does not read holds back the %s side only", async (side) => {
      const [writer, reader] = from(side);
      writer.stream.resume();
      const block = Buffer.alloc(1024 * 1024, 7);
      let written = 0;
      while (writer.stream.write(block) || (await writer.drainedWithin(200))) {
        written += block.length;
        if (written > 256 * block.length) throw new Error("256 MiB went into a reader that stops");
      }
      expect(writer.stream.pendingBytes).toBeGreaterThan(0);
      // The other direction is another matter.
      reader.stream.writeCopy(Buffer.from("still here"), 10);
      await soon(() => expect(writer.bytes).toBe(10));
      reader.stream.resume();
      await writer.drained();
      expect(writer.stream.pendingBytes).toBe(0);
      await soon(() => expect(reader.bytes).toBe(written + block.length));
    });

    test.each(sides)("an end of the %s side leaves the other direction open", async (side) => {
      const [ending, other] = from(side);
      ending.stream.resume();
      other.stream.resume();
      let done = 0;
      ending.stream.writeCopy(Buffer.from("the last words"), 14);
      ending.stream.end(() => done++);
      await other.ended();
      expect(other.text()).toBe("the last words");
      await soon(() => expect(done).toBe(1));
      expect(ending.events).not.toContain("end");
      for (let count = 0; count < 64; count++) {
        if (!other.stream.writeCopy(Buffer.alloc(16_384, count), 16_384)) await other.drained();
      }
      other.stream.end();
      await ending.ended();
      expect(ending.bytes).toBe(1024 * 1024);
      // Both have ended: it closes by itself.
      await Promise.all([ending.closed(), other.closed()]);
      expect(ending.stream.destroyed && other.stream.destroyed).toBe(true);
      expect(done).toBe(1);
    });

    test.each(sides)("a reset by the %s side is none of an end", async (side) => {
      const [resetting, other] = from(side);
      resetting.stream.resume();
      other.stream.resume();
      resetting.stream.writeCopy(Buffer.from("half an ans"), 11);
      await soon(() => expect(other.bytes).toBe(11));
      resetting.stream.reset();
      expect(resetting.stream.destroyed).toBe(true);
      await Promise.all([resetting.closed(), other.closed()]);
      expect(other.events).not.toContain("end");
      expect(other.stream.destroyed).toBe(true);
      // Once more changes nothing.
      resetting.stream.reset();
      resetting.stream.destroy();
    });

    const told = options.tellsResetBehindData !== false;
    test.runIf(told).each(sides)(
      "a reset of the %s side's pending writes is no end either",
      async (side) => {
        const [resetting, other] = from(side);
        other.stopsAfter = 1;
        resetting.stream.resume();
        other.stream.resume();
        const block = Buffer.alloc(4 * 1024 * 1024);
        while (resetting.stream.write(block)) {}
        resetting.stream.reset();
        await resetting.closed();
        other.stopsAfter = undefined;
        other.stream.resume();
        await other.closed();
        expect(other.events).not.toContain("end");
      },
    );

    test.each(sides)("a close of the %s side during a write is heard on both", async (side) => {
      const [closing, other] = from(side);
      other.stream.resume();
      closing.stream.resume();
      closing.stream.write(Buffer.alloc(16 * 1024 * 1024));
      closing.stream.destroy();
      await Promise.all([closing.closed(), other.over()]);
      expect(closing.stream.destroyed).toBe(true);
      // Writing on is no fault of the process, and does nothing.
      expect(closing.stream.write(Buffer.from("late"))).toBe(false);
      other.stream.end();
    });

    test("bytes that come before there is a reader wait for it", async () => {
      pair.far.writeCopy(Buffer.from("early"), 5);
      await new Promise((resolve) => setTimeout(resolve, 20));
      near.stream.resume();
      far.stream.resume();
      await soon(() => expect(near.text()).toBe("early"));
    });

    test.each(sides)("the %s side's reads stay as they were promised", async (side) => {
      const [reader, writer] = from(side);
      writer.stream.resume();
      const held: { readonly bytes: Buffer; readonly copy: Buffer }[] = [];
      const leases = new Set<Lease>();
      reader.onRead = (bytes, lease) => {
        leases.add(lease);
        if (lease === SHARED) return true;
        if (lease === LEASED) reader.stream.hold();
        held.push({ bytes, copy: Buffer.from(bytes) });
        return false;
      };
      reader.stream.resume();
      const all = randomBytes(4 * 1024 * 1024);
      const went = writer.stream.write(all);
      for (let round = 0; reader.bytes < all.length; round++) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        for (const { bytes, copy } of held.splice(0)) expect(bytes.equals(copy)).toBe(true);
        reader.stream.resume();
        if (round > 4000)
          throw new Error(`${reader.bytes} of ${all.length} bytes after 4000 turns`);
      }
      if (!went) await writer.drained();
      for (const lease of leases) expect([0, 1, 2]).toContain(lease);
      expect(reader.digest()).toBe(createHash("sha256").update(all).digest("hex"));
    });

    test("reads little at a time when it is told so", async () => {
      let most = 0;
      far.onRead = (bytes) => {
        most = Math.max(most, bytes.length);
        return true;
      };
      pair.far.readAtMost(1000);
      near.stream.resume();
      far.stream.resume();
      // What was asked for before may still come larger.
      near.stream.writeCopy(Buffer.from("x"), 1);
      await soon(() => expect(far.bytes).toBe(1));
      const block = Buffer.alloc(500_000);
      if (!near.stream.write(block)) await near.drained();
      await soon(() => expect(far.bytes).toBe(block.length + 1));
      expect(most).toBeLessThanOrEqual(16_384);
    });

    test("pauses and reads on", async () => {
      near.stream.resume();
      far.stream.resume();
      near.stream.writeCopy(Buffer.from("one"), 3);
      await soon(() => expect(far.text()).toBe("one"));
      far.stream.pause();
      near.stream.writeCopy(Buffer.from("two"), 3);
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(far.text()).toBe("one");
      far.stream.resume();
      await soon(() => expect(far.text()).toBe("onetwo"));
    });

    test("is never heard from inside its own methods", async () => {
      for (const side of [near, far]) {
        side.inside = true;
        side.stream.resume();
        side.stream.pause();
        side.stream.resume();
        side.stream.writeCopy(Buffer.from("x"), 1);
        side.stream.end();
        side.inside = false;
      }
      await Promise.all([near.closed(), far.closed()]);
      near.inside = true;
      near.stream.reset();
      near.stream.resume();
      near.inside = false;
      expect(near.text() + far.text()).toBe("xx");
      expect(near.calledInside + far.calledInside).toBe(0);
    });
  });
}
