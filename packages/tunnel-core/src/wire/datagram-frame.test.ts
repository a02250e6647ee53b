import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TunnelError } from "../errors.ts";
import {
  DatagramDecoder,
  FRAME_HEADER_BYTES,
  MAX_DATAGRAM_BYTES,
  writeFrameHeader,
} from "./datagram-frame.ts";

const vectors: readonly { payloads: string[]; bytes: string }[] = JSON.parse(
  readFileSync(new URL("../../test/vectors/datagram-frames.json", import.meta.url), "utf8"),
);

function frame(payloads: readonly Uint8Array[]): Buffer {
  const sizes = payloads.map((payload) => FRAME_HEADER_BYTES + payload.length);
  const out = Buffer.alloc(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  for (const payload of payloads) {
    writeFrameHeader(out, at, payload.length);
    out.set(payload, at + FRAME_HEADER_BYTES);
    at += FRAME_HEADER_BYTES + payload.length;
  }
  return out;
}

/** Feeds the chunks from one buffer that is used again, as a socket's reader does. */
function decode(chunks: readonly Buffer[], decoder = new DatagramDecoder()): string[] {
  const reused = Buffer.alloc(Math.max(1, ...chunks.map((chunk) => chunk.length)));
  const payloads: string[] = [];
  for (const chunk of chunks) {
    reused.set(chunk);
    const view = reused.subarray(0, chunk.length);
    decoder.push(view, (payload) => payloads.push(payload.toString("hex")));
    reused.fill(0xee);
  }
  return payloads;
}

describe.each(vectors)("vector $bytes", ({ payloads, bytes }) => {
  const stream = Buffer.from(bytes, "hex");

  test("is written", () => {
    expect(frame(payloads.map((hex) => Buffer.from(hex, "hex"))).toString("hex")).toBe(bytes);
  });

  test("is read whole, cut anywhere, and byte by byte", () => {
    expect(decode([stream])).toEqual(payloads);
    for (let cut = 0; cut <= stream.length; cut++) {
      expect(decode([stream.subarray(0, cut), stream.subarray(cut)])).toEqual(payloads);
    }
    expect(decode([...stream].map((byte) => Buffer.of(byte)))).toEqual(payloads);
  });
});

test("a datagram that lies whole in a chunk is not copied", () => {
  const chunk = frame([Buffer.from("one"), Buffer.from("two")]);
  const buffers: ArrayBufferLike[] = [];
  new DatagramDecoder().push(chunk, (payload) => buffers.push(payload.buffer));
  expect(buffers).toEqual([chunk.buffer, chunk.buffer]);
});

test("the largest datagrams pass, in pieces too, from the same memory", () => {
  const largest = Buffer.alloc(MAX_DATAGRAM_BYTES, "x");
  const stream = frame([largest, largest]);
  const decoder = new DatagramDecoder();
  const memory = new Set<ArrayBufferLike>();
  let bytes = 0;
  for (let at = 0; at < stream.length; at += 16_384) {
    decoder.push(stream.subarray(at, at + 16_384), (payload) => {
      memory.add(payload.buffer);
      bytes += payload.length;
    });
  }
  expect(bytes).toBe(2 * MAX_DATAGRAM_BYTES);
  expect(memory.size).toBe(1);
  expect([...memory][0]?.byteLength).toBe(MAX_DATAGRAM_BYTES);
});

test.each([MAX_DATAGRAM_BYTES + 1, 0xffff])("a length of %i is refused", (length) => {
  const header = Buffer.of(length >> 8, length & 0xff);
  expect(() => decode([header])).toThrow(TunnelError);
  expect(() => decode([header.subarray(0, 1), header.subarray(1)])).toThrow(
    expect.objectContaining({ code: "FRAME_INVALID" }),
  );
});

test.each([-1, MAX_DATAGRAM_BYTES + 1, Number.NaN])("a length of %d is not written", (length) => {
  expect(() => writeFrameHeader(Buffer.alloc(2), 0, length)).toThrow(
    expect.objectContaining({ code: "FRAME_INVALID" }),
  );
});

test("any datagrams come out as they went in, however the stream is cut", () => {
  const payload = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 5000 }));
  fc.assert(
    fc.property(
      fc.array(payload, { maxLength: 8 }),
      fc.array(fc.nat({ max: 20_000 }), { maxLength: 12 }),
      (payloads, cuts) => {
        const stream = frame(payloads);
        const sorted = cuts.map((cut) => Math.min(cut, stream.length)).sort((a, b) => a - b);
        const edges = [0, ...sorted, stream.length];
        const chunks = edges.slice(1).map((end, at) => stream.subarray(edges[at], end));
        expect(decode(chunks)).toEqual(payloads.map((bytes) => Buffer.from(bytes).toString("hex")));
      },
    ),
    { numRuns: 1000 },
  );
});

test("random bytes give datagrams or the decoder's error", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 }), (chunks) => {
      try {
        for (const hex of decode(chunks.map((chunk) => Buffer.from(chunk)))) {
          expect(hex.length / 2).toBeLessThanOrEqual(1200);
        }
      } catch (error) {
        expect(error).toMatchObject({ code: "FRAME_INVALID" });
      }
    }),
    { numRuns: 2000 },
  );
});
