import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  FRAME_DATA,
  FRAME_FIN,
  FRAME_GRANT,
  FRAME_LANE,
  FRAME_OPEN_TCP,
  FRAME_OPEN_UDP,
  goOnFrame,
  MAX_OPEN_BYTES,
  MAX_STREAM_FRAME_BYTES,
  openFrame,
  STREAM_HEADER_BYTES,
  streamHeader,
} from "../wire/stream-frame.ts";
import { StreamFrameDecoder, type StreamFrameSink } from "./stream-frame-decoder.ts";

interface Frame {
  readonly frame: "open-tcp" | "open-udp" | "data" | "fin" | "lane" | "go-on" | "grant";
  readonly remote?: string;
  readonly lane?: number;
  readonly stream?: number;
  readonly data?: string;
}

const vectors: readonly { name: string; frames: Frame[]; bytes: string }[] = JSON.parse(
  readFileSync(new URL("../../test/vectors/stream-frames.json", import.meta.url), "utf8"),
);

/** Keeps what it is told; data that arrives in pieces is one frame as long as nothing else comes. */
class Recorder implements StreamFrameSink {
  readonly frames: Frame[] = [];
  /** Whether `onFin` leaves the rest for later. */
  stopsAtFin = false;

  onData(buffer: Buffer, start: number, end: number): void {
    this.frames.push({ frame: "data", data: buffer.toString("hex", start, end) });
  }
  onFin(): boolean {
    this.frames.push({ frame: "fin" });
    return !this.stopsAtFin;
  }
  onOpen(type: number, body: string): void {
    if (type === FRAME_OPEN_TCP) this.frames.push({ frame: "open-tcp", remote: body });
    else if (type === FRAME_OPEN_UDP) this.frames.push({ frame: "open-udp", remote: body });
    else if (type === FRAME_LANE) this.frames.push({ frame: "lane" });
    else if (type === FRAME_GRANT) this.frames.push({ frame: "grant" });
    else {
      const bytes = Buffer.from(body, "latin1");
      const [lane, stream] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4)];
      this.frames.push({ frame: "go-on", lane, stream });
    }
  }
}

/** Decodes chunks out of a buffer that is used again, as a socket's reader does. */
function decode(chunks: readonly Buffer[], sink = new Recorder()): Recorder {
  const decoder = new StreamFrameDecoder();
  const reused = Buffer.alloc(Math.max(1, ...chunks.map((chunk) => chunk.length)));
  for (const chunk of chunks) {
    reused.set(chunk);
    // It stops after an open frame and where the sink says so: the rest comes later.
    for (let at = 0; at < chunk.length; ) at = decoder.decode(reused, at, chunk.length, sink);
    reused.fill(0xee);
  }
  return sink;
}

/** The frames with neighbouring pieces of data joined and empty ones left out. */
function joined(frames: readonly Frame[]): Frame[] {
  const out: { frame: Frame["frame"]; remote?: string; data?: string; lane?: number }[] = [];
  for (const frame of frames) {
    const last = out.at(-1);
    if (frame.frame === "data" && last?.frame === "data") last.data += frame.data ?? "";
    else if (frame.frame !== "data" || frame.data !== "") out.push({ ...frame });
  }
  return out;
}

function encode(frames: readonly Frame[]): Buffer {
  return Buffer.concat(
    frames.flatMap(({ frame, remote = "", data = "", lane = 0, stream = 0 }) => {
      if (frame === "open-tcp") return [openFrame(FRAME_OPEN_TCP, remote)];
      if (frame === "open-udp") return [openFrame(FRAME_OPEN_UDP, remote)];
      if (frame === "fin") return [streamHeader(FRAME_FIN, 0)];
      if (frame === "lane") return [streamHeader(FRAME_LANE, 0)];
      if (frame === "grant") return [streamHeader(FRAME_GRANT, 0)];
      if (frame === "go-on") return [goOnFrame(lane, stream)];
      return [streamHeader(FRAME_DATA, data.length / 2), Buffer.from(data, "hex")];
    }),
  );
}

describe.each(vectors)("vector: $name", ({ frames, bytes }) => {
  const stream = Buffer.from(bytes, "hex");

  test("is written", () => {
    expect(encode(frames).toString("hex")).toBe(bytes);
  });

  test("is read whole, cut anywhere, and byte by byte", () => {
    expect(joined(decode([stream]).frames)).toEqual(joined(frames));
    for (let cut = 0; cut <= stream.length; cut++) {
      const pieces = decode([stream.subarray(0, cut), stream.subarray(cut)]);
      expect(joined(pieces.frames)).toEqual(joined(frames));
    }
    expect(joined(decode([...stream].map((byte) => Buffer.of(byte))).frames)).toEqual(
      joined(frames),
    );
  });
});

test("stops after an open frame, and after a fin when the sink says so", () => {
  const open = openFrame(FRAME_OPEN_TCP, "192.0.2.1:5");
  const fin = streamHeader(FRAME_FIN, 0);
  const bytes = Buffer.concat([open, fin, fin]);
  const sink = new Recorder();
  const decoder = new StreamFrameDecoder();
  expect(decoder.decode(bytes, 0, bytes.length, sink)).toBe(open.length);
  sink.stopsAtFin = true;
  expect(decoder.decode(bytes, open.length, bytes.length, sink)).toBe(open.length + fin.length);
  expect(sink.frames.map(({ frame }) => frame)).toEqual(["open-tcp", "fin"]);
});

test("passes a data frame of the largest size on as it arrives", () => {
  const sink = new Recorder();
  let bytes = 0;
  sink.onData = (_buffer, start, end) => {
    bytes += end - start;
  };
  const decoder = new StreamFrameDecoder();
  const header = streamHeader(FRAME_DATA, MAX_STREAM_FRAME_BYTES);
  decoder.decode(header, 0, STREAM_HEADER_BYTES, sink);
  const chunk = Buffer.alloc(65_536);
  for (let left = MAX_STREAM_FRAME_BYTES; left > 0; left -= chunk.length) {
    decoder.decode(chunk, 0, Math.min(left, chunk.length), sink);
  }
  expect(bytes).toBe(MAX_STREAM_FRAME_BYTES);
  expect(decode([streamHeader(FRAME_FIN, 0)]).frames).toEqual([{ frame: "fin" }]);
});

test.each([
  ["type 0", "00000000"],
  ["type 5", "05000001ff"],
  ["type 8", "08000000"],
  ["type 255", "ff000000"],
  ["a grant with bytes", "0700000100"],
  ["a stream that goes on, of 7 bytes", "06000007"],
  ["a stream that goes on, of 9 bytes", "06000009"],
  ["a fin with bytes", "0400000100"],
  ["an open frame without an address", "01000000"],
  ["a UDP open frame without an address", "02000000"],
  ["an address over the limit", `0100${(MAX_OPEN_BYTES + 1).toString(16).padStart(4, "0")}`],
  ["an address of 16 MiB", "01ffffff"],
])("refuses %s at its header", (_what, hex) => {
  const bytes = Buffer.from(hex, "hex");
  const refusal = expect.objectContaining({ code: "FRAME_INVALID" });
  expect(() => decode([bytes])).toThrow(refusal);
  expect(() => decode([...bytes].map((byte) => Buffer.of(byte)))).toThrow(refusal);
});

test("any frames come out as they went in, however the stream is cut", () => {
  const data = fc
    .uint8Array({ maxLength: 300 })
    .map((bytes): Frame => ({ frame: "data", data: Buffer.from(bytes).toString("hex") }));
  const open = fc
    .tuple(fc.constantFrom("open-tcp" as const, "open-udp" as const), fc.ipV4(), fc.nat(65_535))
    .map(([frame, address, port]): Frame => ({ frame, remote: `${address}:${port}` }));
  const frame = fc.oneof(data, open, fc.constant<Frame>({ frame: "fin" }));
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 10 }),
      fc.array(fc.nat({ max: 3000 }), { maxLength: 10 }),
      (frames, cuts) => {
        const stream = encode(frames);
        const sorted = cuts.map((cut) => Math.min(cut, stream.length)).sort((a, b) => a - b);
        const edges = [0, ...sorted, stream.length];
        const chunks = edges.slice(1).map((end, at) => stream.subarray(edges[at], end));
        expect(joined(decode(chunks).frames)).toEqual(joined(frames));
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
