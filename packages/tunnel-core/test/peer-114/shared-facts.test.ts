import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

/** What the peer does over HTTP/2 and QUIC is what the recordings of 1.14 nodes show. */
interface Line {
  readonly ms: number;
  readonly conn: number;
  readonly dir: string;
  readonly hex?: string;
  readonly stream?: number;
  readonly fin?: boolean;
}

const lines = (name: string): Line[] =>
  readFileSync(new URL(`recordings/${name}.jsonl`, import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const [DATA, HEADERS, RST_STREAM] = [0, 1, 3];
const END_STREAM = 1;
const CANCEL = 8;

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** The frames of one direction while the session lasted (RFC 9113, section 4.1). */
function framesOf(name: string, dir: string): Frame[] {
  const all = lines(name).filter(({ conn }) => conn === 2);
  const over = (all.find((line) => line.dir === "server-fin")?.ms ?? 0) - 1;
  const hex = all
    .filter((line) => line.dir === dir && line.ms < over)
    .map((line) => line.hex ?? "");
  let bytes = Buffer.from(hex.join(""), "hex");
  if (bytes.toString("latin1", 0, PREFACE.length) === PREFACE) {
    bytes = bytes.subarray(PREFACE.length);
  }
  const frames: Frame[] = [];
  while (bytes.length >= 9) {
    const end = 9 + bytes.readUIntBE(0, 3);
    frames.push({
      type: bytes.readUInt8(3),
      flags: bytes.readUInt8(4),
      stream: bytes.readUInt32BE(5),
      payload: bytes.subarray(9, end),
    });
    bytes = bytes.subarray(end);
  }
  return frames;
}

describe.each(["h2-forward", "h2-reverse"])("recording %s", (name) => {
  const client = framesOf(name, "client>server");
  const server = framesOf(name, "server>client");
  const opened = client.filter(({ type }) => type === HEADERS).map(({ stream }) => stream);
  const firstData = (frames: Frame[], stream: number) =>
    frames.find((frame) => frame.type === DATA && frame.stream === stream)?.payload;

  test("a stream begins with the client's byte 00 and the server's id", () => {
    expect(opened.length).toBeGreaterThan(4);
    for (const stream of opened) {
      expect(firstData(client, stream)?.toString("hex")).toBe("00");
      expect(firstData(server, stream)?.length).toBe(4);
    }
    expect(firstData(server, opened[0] ?? 0)?.toString("hex")).toBe("00000000");
  });

  test("a client ends it by RST_STREAM with CANCEL, a server not while the session lasts", () => {
    const resets = client.filter(({ type }) => type === RST_STREAM);
    expect(resets.length).toBeGreaterThan(1);
    for (const { payload } of resets) expect(payload.readUInt32BE()).toBe(CANCEL);
    const ended = [...client, ...server].filter(
      ({ type, flags }) => type <= HEADERS && (flags & END_STREAM) !== 0,
    );
    expect(ended).toEqual([]);
    expect(server.filter(({ type }) => type === RST_STREAM)).toEqual([]);
  });
});

test.each([
  "quic-client-forward",
  "quic-client-reverse",
  "quic-server-forward",
  "quic-server-reverse",
])("recording %s: a stream begins with 00 and an id, and ends by a FIN each way", (name) => {
  const events = lines(name).filter(({ stream }) => typeof stream === "number");
  const streams = [...new Set(events.map(({ stream }) => stream))];
  expect(streams.length).toBeGreaterThan(3);
  const ends = { "client>server": 0, "server>client": 0 };
  for (const stream of streams) {
    const of = (dir: string) =>
      events.filter((event) => event.stream === stream && event.dir === dir);
    expect(of("client>server")[0]?.hex).toBe("00");
    expect(of("server>client")[0]?.hex).toHaveLength(8);
    for (const dir of ["client>server", "server>client"] as const) {
      const fin = of(dir).findIndex((event) => event.fin === true);
      if (fin < 0) continue;
      ends[dir]++;
      // Nothing behind it.
      expect(fin).toBe(of(dir).length - 1);
    }
  }
  expect(ends["client>server"]).toBeGreaterThan(0);
  expect(ends["server>client"]).toBeGreaterThan(0);
});
