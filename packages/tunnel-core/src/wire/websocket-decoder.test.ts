import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TunnelError } from "../errors.ts";
import { WebSocketDecoder, type WebSocketSink } from "./websocket-decoder.ts";
import {
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_PING,
  OPCODE_PONG,
  webSocketHeaderBytes,
  writeWebSocketHeader,
} from "./websocket-frame.ts";
import { maskInPlace } from "./websocket-mask.ts";

/** Longest header: two bytes, a 64-bit length, a masking key. */
const MAX_WEBSOCKET_HEADER_BYTES = 14;

type Event = { readonly data: string } | { readonly event: string };

/** Keeps what it is told; neighbouring data is one. */
class Recorder implements WebSocketSink {
  readonly events: Event[] = [];

  onPayload(buffer: Buffer, start: number, end: number): void {
    const data = buffer.toString("hex", start, end);
    const last = this.events.at(-1);
    if (last !== undefined && "data" in last) {
      this.events[this.events.length - 1] = { data: last.data + data };
    } else if (data !== "") this.events.push({ data });
  }
  onPing(payload: Buffer): void {
    this.events.push({ event: `ping ${payload.toString("hex")}` });
  }
  onPong(): void {
    this.events.push({ event: "pong" });
  }
  onCloseFrame(code: number | undefined): void {
    this.events.push({ event: `close ${code}` });
  }
}

interface Outcome {
  readonly events: readonly Event[];
  readonly fault: number | undefined;
}

/** Decodes pieces out of a buffer that is used again, as a socket's reader does. */
function decode(pieces: readonly Buffer[], masked: boolean): Outcome {
  const decoder = new WebSocketDecoder(masked);
  const sink = new Recorder();
  const reused = Buffer.alloc(Math.max(1, ...pieces.map((piece) => piece.length)) + 3);
  for (const [index, piece] of pieces.entries()) {
    // Words of the mask lie on any address.
    const at = index % 4;
    const room = Math.min(at, reused.length - piece.length);
    reused.set(piece, room);
    try {
      decoder.decode(reused, room, room + piece.length, sink);
    } catch (error) {
      expect(error).toBeInstanceOf(TunnelError);
      expect(error).toMatchObject({ code: "FRAME_INVALID" });
      expect(decoder.fault).toBeGreaterThan(0);
      return { events: sink.events, fault: decoder.fault };
    }
    reused.fill(0xee);
  }
  return { events: sink.events, fault: undefined };
}

function cutEverywhere(bytes: Buffer, masked: boolean, wanted: Outcome): void {
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(decode([bytes.subarray(0, cut), bytes.subarray(cut)], masked)).toEqual(wanted);
  }
  const one = [...bytes].map((byte) => Buffer.of(byte));
  expect(decode(one, masked)).toEqual(wanted);
}

/** A frame by hand: nothing of the code under test. */
function frame(first: number, payload: Buffer, key?: Buffer): Buffer {
  const { length } = payload;
  const mask = key === undefined ? 0 : 0x80;
  const head =
    length < 126
      ? Buffer.of(first, mask | length)
      : length < 65_536
        ? Buffer.of(first, mask | 126, length >> 8, length & 0xff)
        : Buffer.from([first, mask | 127, 0, 0, 0, 0, 0, length >> 16, length >> 8, length]);
  const body = Buffer.from(payload);
  if (key !== undefined) for (const [i, byte] of body.entries()) body[i] = byte ^ (key[i % 4] ?? 0);
  return Buffer.concat([head, key ?? Buffer.alloc(0), body]);
}

const KEY = Buffer.from("37fa213d", "hex");

describe("the examples of RFC 6455, section 5.7", () => {
  test("a masked ping and an unmasked pong", () => {
    const hello = Buffer.from("Hello").toString("hex");
    cutEverywhere(Buffer.from("898537fa213d7f9f4d5158", "hex"), true, {
      events: [{ event: `ping ${hello}` }],
      fault: undefined,
    });
    cutEverywhere(Buffer.from(`8a05${hello}`, "hex"), false, {
      events: [{ event: "pong" }],
      fault: undefined,
    });
  });

  test("256 bytes and 64 KiB of binary message", () => {
    const short = Buffer.alloc(256, 7);
    expect(decode([Buffer.concat([Buffer.from("827e0100", "hex"), short])], false)).toEqual({
      events: [{ data: short.toString("hex") }],
      fault: undefined,
    });
    const long = Buffer.alloc(65_536, 9);
    const head = Buffer.from("827f0000000000010000", "hex");
    expect(decode([Buffer.concat([head, long])], false)).toEqual({
      events: [{ data: long.toString("hex") }],
      fault: undefined,
    });
  });
});

describe("what a 1.14 node sent", () => {
  test("the id of a pool connection, a signal, and a close", () => {
    cutEverywhere(Buffer.from("820400000000", "hex"), false, {
      events: [{ data: "00000000" }],
      fault: undefined,
    });
    const line = Buffer.from("CEcCEREdHAtBSEcEGgsEUBg=\n");
    const masked = "829907a35e1d44e63d5e42f11b794fe22a5f54e63d5840c42d5852e139200d";
    cutEverywhere(Buffer.from(masked, "hex"), true, {
      events: [{ data: line.toString("hex") }],
      fault: undefined,
    });
    cutEverywhere(Buffer.from("880203e8", "hex"), false, {
      events: [{ event: "close 1000" }],
      fault: undefined,
    });
  });
});

test("fragments are one stream, with control frames between them", () => {
  const bytes = Buffer.concat([
    frame(0x02, Buffer.from("01", "hex"), KEY),
    frame(0x89, Buffer.from("aa", "hex"), KEY),
    frame(0x00, Buffer.alloc(0), KEY),
    frame(0x8a, Buffer.alloc(0), KEY),
    frame(0x80, Buffer.from("0203", "hex"), KEY),
    frame(0x82, Buffer.alloc(0), KEY),
    frame(0x82, Buffer.from("04", "hex"), KEY),
  ]);
  cutEverywhere(bytes, true, {
    events: [{ data: "01" }, { event: "ping aa" }, { event: "pong" }, { data: "020304" }],
    fault: undefined,
  });
});

describe("a close", () => {
  test.each([
    ["", undefined],
    ["03e8", 1000],
    ["03e9", 1001],
    ["03ea", 1002],
    ["03eb", 1003],
    ["03ef", 1007],
    ["03f6", 1014],
    ["0bb8", 3000],
    ["1387", 4999],
    [`03e8${Buffer.from("bye ☺").toString("hex")}`, 1000],
    [`03e8${"41".repeat(123)}`, 1000],
  ])("of %s is taken, and nothing after it is read", (payload, code) => {
    const close = frame(0x88, Buffer.from(payload, "hex"), KEY);
    const after = frame(0x82, Buffer.from("ff", "hex"), KEY);
    const wanted = { events: [{ event: `close ${code}` }], fault: undefined };
    cutEverywhere(Buffer.concat([close, after]), true, wanted);
  });
});

describe("hostile frames", () => {
  const hex = (text: string): Buffer => Buffer.from(text, "hex");
  const cases: readonly [string, Buffer, number][] = [
    ["first reserved bit", hex("c28000000000"), 1002],
    ["second reserved bit", hex("a28000000000"), 1002],
    ["third reserved bit", hex("928000000000"), 1002],
    ["reserved bit in a ping", hex("c98000000000"), 1002],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, Buffer, number] => [
      `opcode ${opcode}`,
      Buffer.of(0x80 | opcode, 0x80, 0, 0, 0, 0),
      1002,
    ]),
    ["text message", frame(0x81, Buffer.from("hi"), KEY), 1003],
    ["empty text message", frame(0x81, Buffer.alloc(0), KEY), 1003],
    ["text fragment", frame(0x01, Buffer.from("hi"), KEY), 1003],
    ["unmasked frame of a client", frame(0x82, Buffer.from("hi")), 1002],
    ["unmasked ping of a client", frame(0x89, Buffer.from("hi")), 1002],
    ["continuation of nothing", frame(0x80, Buffer.from("hi"), KEY), 1002],
    ["unfinished continuation of nothing", frame(0x00, Buffer.from("hi"), KEY), 1002],
    [
      "message inside a fragmented one",
      Buffer.concat([frame(0x02, Buffer.alloc(0), KEY), frame(0x82, Buffer.alloc(0), KEY)]),
      1002,
    ],
    [
      "continuation after the last fragment",
      Buffer.concat([
        frame(0x02, Buffer.alloc(0), KEY),
        frame(0x80, Buffer.alloc(0), KEY),
        frame(0x80, Buffer.alloc(0), KEY),
      ]),
      1002,
    ],
    ["ping in fragments", frame(0x09, Buffer.from("hi"), KEY), 1002],
    ["close in fragments", frame(0x08, Buffer.from("03e8", "hex"), KEY), 1002],
    ["ping of 126 bytes", frame(0x89, Buffer.alloc(126), KEY), 1002],
    ["pong with a 64-bit length", hex("8aff000000000000000100000000ff"), 1002],
    ["close of 126 bytes", frame(0x88, Buffer.alloc(126, 0x41), KEY), 1002],
    ["close of one byte", frame(0x88, Buffer.of(3), KEY), 1002],
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map(
      (code): [string, Buffer, number] => [
        `close code ${code}`,
        frame(0x88, Buffer.of(code >> 8, code & 0xff), KEY),
        1002,
      ],
    ),
    ["close reason that is no utf-8", frame(0x88, hex("03e8ceba80"), KEY), 1007],
    ["close reason cut in a character", frame(0x88, hex("03e8e298"), KEY), 1007],
    ["length with its highest bit", hex("82ff800000000000000000000000"), 1002],
    ["length of 8 PiB", hex("82ff002000000000000000000000"), 1009],
  ];

  test.each(cases)("%s is refused, however it is cut", (_, bytes, fault) => {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const outcome = decode([bytes.subarray(0, cut), bytes.subarray(cut)], true);
      expect(outcome).toEqual({ events: [], fault });
    }
  });

  test("a masked frame of a server is refused", () => {
    expect(decode([frame(0x82, Buffer.from("hi"), KEY)], false).fault).toBe(1002);
    expect(decode([frame(0x8a, Buffer.from("hi"), KEY)], false).fault).toBe(1002);
  });

  test("what came before the fault has been passed on", () => {
    const bytes = Buffer.concat([frame(0x82, Buffer.from("ok"), KEY), hex("83")]);
    const cut = decode([bytes, Buffer.of(0x80)], true);
    expect(cut).toEqual({ events: [{ data: "6f6b" }], fault: 1002 });
  });

  test("a huge length reserves nothing", () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoder = new WebSocketDecoder(true);
    // 4 PiB are announced.
    decoder.decode(hex("82ff001000000000000037fa213d00"), 0, 15, new Recorder());
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
  });

  test("random bytes are taken or refused, the same way however they are cut", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), fc.nat(), (bytes, masked, at) => {
        const all = Buffer.from(bytes);
        const cut = all.length === 0 ? 0 : at % (all.length + 1);
        const whole = decode([Buffer.from(all)], masked);
        expect(decode([all.subarray(0, cut), all.subarray(cut)], masked)).toEqual(whole);
      }),
      { numRuns: 2000 },
    );
  });
});

test("writes what it reads, of every size around the edges of lengths, masked or not", () => {
  for (const length of [0, 1, 2, 3, 4, 31, 32, 33, 125, 126, 127, 65_535, 65_536, 70_001]) {
    for (const masked of [false, true]) {
      for (const lead of [0, 1, 2, 3]) {
        const payloadAt = MAX_WEBSOCKET_HEADER_BYTES + lead;
        const bytes = Buffer.alloc(payloadAt + length);
        for (let i = 0; i < length; i++) bytes[payloadAt + i] = (i * 31) & 0xff;
        const wanted = bytes.toString("hex", payloadAt);
        const start = writeWebSocketHeader(bytes, payloadAt, OPCODE_BINARY, length, masked);
        expect(payloadAt - start).toBe(webSocketHeaderBytes(length, masked));
        if (masked)
          maskInPlace(bytes, payloadAt, bytes.length, bytes.subarray(payloadAt - 4, payloadAt), 0);
        const outcome = decode([bytes.subarray(start)], masked);
        expect(outcome).toEqual({
          events: length === 0 ? [] : [{ data: wanted }],
          fault: undefined,
        });
      }
    }
  }
});

test("writes a length over 4 GiB", () => {
  const out = Buffer.alloc(MAX_WEBSOCKET_HEADER_BYTES);
  const start = writeWebSocketHeader(out, out.length, OPCODE_BINARY, 5 * 2 ** 32 + 7, false);
  expect(out.toString("hex", start)).toBe("827f0000000500000007");
});

test("any messages in any pieces come out as their bytes, with control frames at their places", () => {
  const message = fc.record({
    kind: fc.constantFrom("data", "ping", "pong"),
    payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    key: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
  });
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 6 }),
      fc.array(fc.nat(400), { maxLength: 12 }),
      fc.boolean(),
      (messages, sizes, masked) => {
        const wanted = new Recorder();
        const wire: Buffer[] = [];
        for (const { kind, payload, key } of messages) {
          const cut = payload.subarray(0, kind === "data" ? payload.length : 125);
          const opcode =
            kind === "data" ? OPCODE_BINARY : kind === "ping" ? OPCODE_PING : OPCODE_PONG;
          wire.push(frame(0x80 | opcode, cut, masked ? key : undefined));
          if (kind === "data") wanted.onPayload(cut, 0, cut.length);
          else if (kind === "ping") wanted.onPing(cut);
          else wanted.onPong();
        }
        wire.push(frame(0x80 | OPCODE_CLOSE, Buffer.alloc(0), masked ? KEY : undefined));
        wanted.onCloseFrame(undefined);
        const bytes = Buffer.concat(wire);
        const pieces: Buffer[] = [];
        let at = 0;
        for (const size of sizes) {
          pieces.push(bytes.subarray(at, at + size));
          at += size;
        }
        pieces.push(bytes.subarray(at));
        expect(decode(pieces, masked)).toEqual({ events: wanted.events, fault: undefined });
      },
    ),
  );
});
