import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  LANE_HEADER_BYTES,
  LANE_WINDOW_BYTES,
  writeLaneHeader,
  writeLaneValue,
} from "../wire/lane-frame.ts";
import { LaneFrameDecoder, type LaneFrameSink } from "./lane-frame-decoder.ts";

const NAMES = [
  "",
  "open-tcp",
  "open-udp",
  "data",
  "fin",
  "reset",
  "credit",
  "move",
  "ping",
  "alive",
] as const;

interface Frame {
  readonly frame: Exclude<(typeof NAMES)[number], "">;
  readonly stream: number;
  readonly remote?: string;
  readonly data?: string;
  readonly value?: number;
}

const vectors: readonly { name: string; frames: Frame[]; bytes: string }[] = JSON.parse(
  readFileSync(new URL("../../test/vectors/lane-frames.json", import.meta.url), "utf8"),
);

/** Keeps what it is told; the bytes of a data frame are put together. */
class Recorder implements LaneFrameSink {
  readonly frames: { frame: string; stream: number; data?: string }[] = [];
  onDataFrame(stream: number): void {
    this.frames.push({ frame: "data", stream, data: "" });
  }
  onData(buffer: Buffer, start: number, end: number): void {
    const last = this.frames.at(-1);
    if (last?.data === undefined) throw new Error("bytes outside of a data frame");
    last.data += buffer.toString("hex", start, end);
  }
  onOpen(type: number, stream: number, remote: string): void {
    this.frames.push(Object.assign({ frame: NAMES[type] ?? "?", stream }, { remote }));
  }
  onControl(type: number, stream: number, value: number): void {
    const frame = NAMES[type] ?? "?";
    const valued = frame === "credit" || frame === "move";
    this.frames.push(Object.assign({ frame, stream }, valued && { value }));
  }
}

/** Decodes chunks out of a buffer that is used again, as a socket's reader does. */
function decode(chunks: readonly Buffer[]): Recorder["frames"] {
  const sink = new Recorder();
  const decoder = new LaneFrameDecoder();
  const reused = Buffer.alloc(Math.max(1, ...chunks.map((chunk) => chunk.length)));
  for (const chunk of chunks) {
    reused.set(chunk);
    decoder.decode(reused, 0, chunk.length, sink);
    reused.fill(0xee);
  }
  return sink.frames;
}

function encode(frames: readonly Frame[]): Buffer {
  return Buffer.concat(
    frames.map(({ frame, stream, remote, data, value }) => {
      const body = remote === undefined ? Buffer.from(data ?? "", "hex") : Buffer.from(remote);
      const length = value === undefined ? body.length : 4;
      const bytes = Buffer.alloc(LANE_HEADER_BYTES + length);
      writeLaneHeader(bytes, 0, NAMES.indexOf(frame), length, stream);
      if (value === undefined) body.copy(bytes, LANE_HEADER_BYTES);
      else writeLaneValue(bytes, LANE_HEADER_BYTES, value);
      return bytes;
    }),
  );
}

describe.each(vectors)("vector: $name", ({ frames, bytes }) => {
  const stream = Buffer.from(bytes, "hex");

  test("is written", () => {
    expect(encode(frames).toString("hex")).toBe(bytes);
  });

  test("is read whole, cut anywhere, and byte by byte", () => {
    expect(decode([stream])).toEqual(frames);
    for (let cut = 0; cut <= stream.length; cut++) {
      expect(decode([stream.subarray(0, cut), stream.subarray(cut)])).toEqual(frames);
    }
    expect(decode([...stream].map((byte) => Buffer.of(byte)))).toEqual(frames);
  });
});

test.each([
  ["type 0", "0000000000000001"],
  ["type 10", "0a00000000000001"],
  ["type 255", "ff00000000000001"],
  ["a fin with bytes", "0400000100000001"],
  ["a reset with bytes", "0500000100000001"],
  ["a credit of three bytes", "0600000300000001"],
  ["a move without a connection", "0700000000000001"],
  ["a ping of a stream", "0800000000000001"],
  ["a ping with bytes", "0800000100000000"],
  ["an open frame without an address", "0100000000000001"],
  ["an address over the limit", "0100008100000001"],
  ["data over the window", `03${(LANE_WINDOW_BYTES + 1).toString(16).padStart(6, "0")}00000001`],
  ["data of stream 0", "0300000100000000"],
  ["an open frame of stream 0", "0100000b00000000"],
  ["a fin of stream 0", "0400000000000000"],
])("refuses %s at its header", (_what, hex) => {
  const bytes = Buffer.from(hex, "hex");
  const refusal = expect.objectContaining({ code: "FRAME_INVALID" });
  expect(() => decode([bytes])).toThrow(refusal);
  expect(() => decode([...bytes].map((byte) => Buffer.of(byte)))).toThrow(refusal);
});

test("any frames come out as they went in, however the lane is cut", () => {
  const stream = fc.integer({ min: 1, max: 0xffff_ffff });
  const value = fc.integer({ min: 0, max: 0xffff_ffff });
  const frame: fc.Arbitrary<Frame> = fc.oneof(
    fc.record({
      frame: fc.constant("data" as const),
      stream,
      data: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("hex")),
    }),
    fc.record({
      frame: fc.constantFrom("open-tcp" as const, "open-udp" as const),
      stream,
      remote: fc.tuple(fc.ipV4(), fc.nat(65_535)).map(([host, port]) => `${host}:${port}`),
    }),
    fc.record({ frame: fc.constantFrom("fin" as const, "reset" as const), stream }),
    fc.record({ frame: fc.constantFrom("credit" as const, "move" as const), stream, value }),
    fc.record({
      frame: fc.constantFrom("ping" as const, "alive" as const),
      stream: fc.constant(0),
    }),
  );
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 10 }),
      fc.array(fc.nat({ max: 3000 }), { maxLength: 10 }),
      (frames, cuts) => {
        const bytes = encode(frames);
        const sorted = cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b);
        const edges = [0, ...sorted, bytes.length];
        expect(decode(edges.slice(1).map((end, at) => bytes.subarray(edges[at], end)))).toEqual(
          frames,
        );
      },
    ),
    { numRuns: 1000 },
  );
});

test("random bytes give frames or the decoder's error", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 }), (chunks) => {
      try {
        decode(chunks.map((chunk) => Buffer.from(chunk)));
      } catch (error) {
        expect(error).toMatchObject({ code: "FRAME_INVALID" });
      }
    }),
    { numRuns: 2000 },
  );
});
