import { parse, parseLenient, redact, UrlConfigError } from "@nodepass/url-config";
import { StreamFrameDecoder } from "../../../src/conduit/stream-frame-decoder.ts";
import { TunnelError } from "../../../src/errors.ts";
import { LaneFrameDecoder } from "../../../src/lane/lane-frame-decoder.ts";
import { BlockDetector } from "../../../src/wire/block-detector.ts";
import { DatagramDecoder, writeFrameHeader } from "../../../src/wire/datagram-frame.ts";
import { parseRemote } from "../../../src/wire/endpoint.ts";
import { formatHandshakeAnswer, parseHandshakeAnswer } from "../../../src/wire/handshake-answer.ts";
import { HelloWindow } from "../../../src/wire/hello-window.ts";
import { writeLaneHeader } from "../../../src/wire/lane-frame.ts";
import { createHelloWriter, parseHello, verifyHello } from "../../../src/wire/pool-hello.ts";
import {
  formatAnswerProof,
  formatChallenge,
  parseAnswerProof,
  parseChallenge,
  parseHandshakeRequest,
  proofHeaders,
} from "../../../src/wire/proof-headers.ts";
import { formatProvedAnswer, parseProvedAnswer } from "../../../src/wire/proved-answer.ts";
import type { Signal } from "../../../src/wire/signal.ts";
import { SignalDecoder } from "../../../src/wire/signal-decoder.ts";
import { createSignalEncoder } from "../../../src/wire/signal-encoder.ts";
import {
  FRAME_OPEN_TCP,
  goOnFrame,
  openFrame,
  streamHeader,
} from "../../../src/wire/stream-frame.ts";
import { inPieces, type Randomness } from "./mutate.ts";

/** A decoder under fuzz. */
export interface FuzzedDecoder {
  readonly name: string;
  /** Bytes that it takes, to be changed. */
  readonly good: readonly Buffer[];
  /** Feeds it a case. Throws what the decoder throws; `allows` says whether that is its right. */
  run(bytes: Buffer, random: Randomness): void;
  allows(error: unknown): boolean;
}

const KEY = "a key for fuzzing";
const FP = `sha256:${Array.from({ length: 32 }, () => "AB").join(":")}`;
const SIGNALS: readonly Signal[] = [
  { action: "ping" },
  { action: "flush" },
  { action: "tcp", remote: "192.0.2.1:5", id: "ee8afa28" },
  { action: "udp", remote: "[2001:db8::1]:5", id: "00000001" },
  { action: "verify", id: "ee8afa28", fp: FP },
];

const encode = createSignalEncoder(KEY);
const isTunnelError = (error: unknown): boolean => error instanceof TunnelError;

/** A line of the text, as the encoder would make it: fuzz reaches behind base64 and the key. */
function line(json: Buffer): Buffer {
  const key = Buffer.from(KEY);
  const masked = Buffer.from(json.map((byte, at) => byte ^ (key[at % key.length] ?? 0)));
  return Buffer.from(`${masked.toString("base64")}\n`);
}

function readSignals(bytes: Buffer, random: Randomness): void {
  const decoder = new SignalDecoder(KEY);
  for (const piece of inPieces(random, bytes)) decoder.push(piece);
}

const signals: FuzzedDecoder = {
  name: "signals",
  good: [...SIGNALS.map((signal) => encode(signal)), SIGNALS.map(encode).join("")].map((text) =>
    Buffer.from(text),
  ),
  run: readSignals,
  allows: isTunnelError,
};

const signalJson: FuzzedDecoder = {
  name: "signal json",
  good: SIGNALS.map((signal) => Buffer.from(JSON.stringify(signal))),
  run: (bytes, random) => readSignals(line(bytes), random),
  allows: isTunnelError,
};

const SESSION = Buffer.from("0102030405060708", "hex");
const SESSION_KEY = Buffer.alloc(32, 7);
const writeHello = createHelloWriter(SESSION, SESSION_KEY);
const GOOD_HELLOS = [0, 1, 65_536, 0xffff_ffff].map((counter) => writeHello(counter));

const hello: FuzzedDecoder = {
  name: "pool hello",
  good: GOOD_HELLOS,
  run(bytes) {
    const read = parseHello(bytes);
    if (read === undefined || read.session !== SESSION.toString("hex")) return;
    // Whatever was changed in a hello that passes, it must be one that was written.
    const passes = verifyHello(read, SESSION_KEY);
    const written = GOOD_HELLOS.some((good) => good.equals(bytes.subarray(0, good.length)));
    if (passes !== written) throw new Error(`a hello that was not written passes: ${passes}`);
    if (passes) new HelloWindow().admit(read.counter);
  },
  allows: isTunnelError,
};

function joinedFrames(pieces: readonly Buffer[]): string {
  const decoder = new StreamFrameDecoder();
  let said = "";
  const sink = {
    onData: (buffer: Buffer, start: number, end: number) => {
      said += buffer.toString("hex", start, end);
    },
    onFin: () => {
      said += "/";
      return true;
    },
    onOpen: (type: number, remote: string) => {
      said += `<${type} ${remote}>`;
    },
  };
  try {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; ) at = decoder.decode(piece, at, piece.length, sink);
    }
  } catch (error) {
    if (!isTunnelError(error)) throw error;
    said += "!";
  }
  return said;
}

const streamFrames: FuzzedDecoder = {
  name: "stream frames",
  good: [
    Buffer.concat([
      openFrame(FRAME_OPEN_TCP, "192.0.2.1:5"),
      streamHeader(3, 5),
      Buffer.from("hello"),
      streamHeader(4, 0),
    ]),
    Buffer.concat([streamHeader(3, 300), Buffer.alloc(300), streamHeader(4, 0)]),
    openFrame(2, "[2001:db8::1]:65535"),
    Buffer.concat([streamHeader(7, 0), goOnFrame(3, 258), streamHeader(3, 2), Buffer.from("hi")]),
    streamHeader(5, 0),
  ],
  run(bytes, random) {
    if (joinedFrames([bytes]) !== joinedFrames(inPieces(random, bytes))) {
      throw new Error("the frames depend on how the stream is cut");
    }
  },
  allows: () => false,
};

function laneFrame(type: number, stream: number, body: string): Buffer {
  const bytes = Buffer.alloc(8 + body.length);
  writeLaneHeader(bytes, 0, type, body.length, stream);
  bytes.write(body, 8, "latin1");
  return bytes;
}

function joinedLaneFrames(pieces: readonly Buffer[]): string {
  const decoder = new LaneFrameDecoder();
  let said = "";
  const sink = {
    onDataFrame: (stream: number, length: number) => {
      said += `<${stream} ${length}>`;
    },
    onData: (buffer: Buffer, start: number, end: number) => {
      said += buffer.toString("hex", start, end);
    },
    onOpen: (type: number, stream: number, remote: string) => {
      said += `<${type} ${stream} ${remote}>`;
    },
    onControl: (type: number, stream: number, value: number) => {
      said += `<${type} ${stream} ${value}>`;
    },
  };
  try {
    for (const piece of pieces) decoder.decode(piece, 0, piece.length, sink);
  } catch (error) {
    if (!isTunnelError(error)) throw error;
    said += "!";
  }
  return said;
}

const laneFrames: FuzzedDecoder = {
  name: "lane frames",
  good: [
    Buffer.concat([
      laneFrame(1, 1, "192.0.2.1:5"),
      laneFrame(3, 1, "hello"),
      laneFrame(6, 1, "\0\0\x80\0"),
      laneFrame(7, 1, "\0\0\0\x2a"),
      laneFrame(5, 1, ""),
    ]),
    Buffer.concat([laneFrame(3, 0xffff_ffff, "x".repeat(300)), laneFrame(4, 0xffff_ffff, "")]),
    Buffer.concat([laneFrame(8, 0, ""), laneFrame(9, 0, ""), laneFrame(2, 7, "[::1]:53")]),
  ],
  run(bytes, random) {
    if (joinedLaneFrames([bytes]) !== joinedLaneFrames(inPieces(random, bytes))) {
      throw new Error("the frames depend on how the lane is cut");
    }
  },
  allows: () => false,
};

function framed(...sizes: number[]): Buffer {
  return Buffer.concat(
    sizes.map((size) => {
      const frame = Buffer.alloc(2 + size, size);
      writeFrameHeader(frame, 0, size);
      return frame;
    }),
  );
}

function datagramsOf(pieces: readonly Buffer[]): string {
  const decoder = new DatagramDecoder();
  const out: string[] = [];
  try {
    for (const piece of pieces) {
      decoder.push(piece, (payload) => out.push(payload.toString("hex")));
    }
  } catch (error) {
    if (!isTunnelError(error)) throw error;
    out.push("!");
  }
  return out.join("/");
}

const datagramFrames: FuzzedDecoder = {
  name: "datagram frames",
  good: [framed(0), framed(1, 0, 5), framed(300, 2), framed(100, 100, 100)],
  run(bytes, random) {
    if (datagramsOf([bytes]) !== datagramsOf(inPieces(random, bytes))) {
      throw new Error("the datagrams depend on how the stream is cut");
    }
  },
  allows: () => false,
};

const ANSWER = { flow: "-", max: 1024, tls: 1, type: 0 } as const;
const OFFERED = ["datagrams", "streams", "lanes"];

const answer: FuzzedDecoder = {
  name: "handshake answer",
  good: [
    Buffer.from(formatHandshakeAnswer(ANSWER)),
    Buffer.from(
      formatProvedAnswer({
        ...ANSWER,
        session: "0102030405060708",
        fp: FP,
        ext: OFFERED,
        lanes: 4,
      }),
    ),
  ],
  run(bytes) {
    const text = bytes.toString("utf8");
    parseHandshakeAnswer(text);
    if (text.includes("ession")) parseProvedAnswer(text, OFFERED);
  },
  allows: isTunnelError,
};

const HEADERS = Object.entries(
  proofHeaders({
    clientNonce: Buffer.alloc(32, 1),
    client: Buffer.alloc(16, 2),
    extensions: OFFERED,
    proof: Buffer.alloc(32, 3),
  }),
)
  .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
  .join("\n");

const headers: FuzzedDecoder = {
  name: "handshake headers",
  good: [
    Buffer.from(HEADERS),
    Buffer.from(`authorization: Bearer ${"ab".repeat(32)}`),
    Buffer.from(`www-authenticate: ${formatChallenge(Buffer.alloc(32, 4))}`),
    Buffer.from(`nodepass-proof: ${formatAnswerProof(Buffer.alloc(32, 5))}`),
  ],
  run(bytes) {
    const fields: Record<string, string> = Object.create(null);
    for (const text of bytes.toString("latin1").split("\n")) {
      const colon = text.indexOf(": ");
      if (colon > 0) fields[text.slice(0, colon)] = text.slice(colon + 2);
    }
    parseHandshakeRequest(fields);
    parseChallenge(fields["www-authenticate"]);
    if (fields["nodepass-proof"] !== undefined) parseAnswerProof(fields["nodepass-proof"]);
  },
  allows: isTunnelError,
};

const url: FuzzedDecoder = {
  name: "url",
  good: [
    "server://secret@0.0.0.0:10101/127.0.0.1:8080?mode=1&tls=1&max=8&log=debug&rate=10",
    "client://s%40cret@[2001:db8::1]:10101/a.example:1,b.example:2?min=4&read=1m30s&dns=5m",
    "master://0.0.0.0:9090/api?tls=2&crt=/a.pem&key=/b.pem",
  ].map((text) => Buffer.from(text)),
  run(bytes, random) {
    const text = bytes.toString("utf8");
    redact(text);
    if (random.next(2) === 0) parseLenient(text);
    else parse(text);
  },
  allows: (error) => error instanceof UrlConfigError,
};

const remote: FuzzedDecoder = {
  name: "remote address",
  good: ["192.0.2.1:5", "[2001:db8::1%eth0]:65535"].map((text) => Buffer.from(text)),
  run: (bytes) => void parseRemote(bytes.toString("latin1")),
  allows: () => false,
};

const firstBytes: FuzzedDecoder = {
  name: "blocked protocols",
  good: ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\x05\x01\x00", "\x16\x03\x01\x00\x05\x01"].map(
    (text) => Buffer.from(text, "latin1"),
  ),
  run(bytes, random) {
    const all = { socks: true, http: true, tls: true };
    const whole = new BlockDetector(all).push(bytes);
    const cut = new BlockDetector(all);
    let verdict = whole;
    for (const piece of inPieces(random, bytes)) verdict = cut.push(piece);
    if (verdict !== whole) throw new Error("the verdict depends on how the stream is cut");
  },
  allows: () => false,
};

/** All decoders of what comes from the network or the command line. */
export const FUZZED_DECODERS: readonly FuzzedDecoder[] = [
  signals,
  signalJson,
  hello,
  streamFrames,
  laneFrames,
  datagramFrames,
  answer,
  headers,
  url,
  remote,
  firstBytes,
];
