import { readFileSync } from "node:fs";

/** One line of a recording (see `recordings/`): what passed between a 1.14 server and client. */
export interface RecordedEvent {
  readonly ms: number;
  /** Number of the TCP connection, in order of opening; 1 is the handshake, 2 the control. */
  readonly conn: number;
  readonly dir: "open" | "client>server" | "server>client" | "client-fin" | "server-fin";
  /** The bytes of one read; empty for the other events. */
  readonly bytes: Buffer;
}

/** Those that begin with `ws-` have a pool of WebSockets. */
export type RecordingName = "forward" | "reverse" | "ws-forward" | "ws-reverse";

const DIRECTIONS = ["open", "client>server", "server>client", "client-fin", "server-fin"] as const;

/** Number of the control connection in both recordings. */
export const CONTROL_CONN = 2;
/** The tunnel key of both recordings. */
export const RECORDED_KEY = "secret";

export function isWebSocket(name: RecordingName): boolean {
  return name.startsWith("ws-");
}

/**
 * Reads a recording; a line that is not understood throws. Of WebSockets it gives what they carry: a
 * close frame is a FIN.
 */
export function readRecording(name: RecordingName): RecordedEvent[] {
  const events = readEvents(name);
  return isWebSocket(name) ? unwrapWebSockets(events) : events;
}

/** The events as if the streams inside the WebSockets were connections. */
function unwrapWebSockets(events: readonly RecordedEvent[]): RecordedEvent[] {
  const opened = new Set<string>();
  const closed = new Set<string>();
  return events.flatMap((event): RecordedEvent[] => {
    const { conn, dir } = event;
    if (conn < CONTROL_CONN || dir === "open") return [event];
    const side = dir.startsWith("client") ? "client" : "server";
    const one = `${conn} ${side}`;
    if (dir.endsWith("-fin")) return closed.has(one) ? [] : [event];
    let { bytes } = event;
    if (!opened.has(one)) {
      opened.add(one);
      bytes = bytes.subarray(bytes.indexOf("\r\n\r\n") + 4);
    }
    const found: RecordedEvent[] = [];
    // Each read of the recording holds whole frames, shorter than 64 KiB.
    while (bytes.length > 0) {
      const [first = 0, second = 0] = bytes;
      const long = (second & 0x7f) === 126;
      const length = long ? bytes.readUInt16BE(2) : second & 0x7f;
      let at = long ? 4 : 2;
      const key = second >= 0x80 ? bytes.subarray(at, at + 4) : undefined;
      if (key !== undefined) at += 4;
      const payload = Buffer.from(bytes.subarray(at, at + length));
      if (key !== undefined) {
        for (const [i, byte] of payload.entries()) payload[i] = byte ^ (key[i & 3] ?? 0);
      }
      bytes = bytes.subarray(at + length);
      if (first === 0x82 && length > 0) found.push({ ...event, bytes: payload });
      if (first === 0x88 && !closed.has(one)) {
        closed.add(one);
        found.push({ ...event, dir: `${side}-fin`, bytes: Buffer.alloc(0) });
      }
    }
    return found;
  });
}

function readEvents(name: RecordingName): RecordedEvent[] {
  const file = new URL(`recordings/${name}.jsonl`, import.meta.url);
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => parseEvent(JSON.parse(line)));
}

function parseEvent(value: Record<string, unknown>): RecordedEvent {
  const { ms, conn, hex = "" } = value;
  const dir = DIRECTIONS.find((known) => known === value.dir);
  if (
    typeof ms !== "number" ||
    typeof conn !== "number" ||
    dir === undefined ||
    typeof hex !== "string"
  ) {
    throw new Error(`not a recorded event: ${JSON.stringify(value)}`);
  }
  return { ms, conn, dir, bytes: Buffer.from(hex, "hex") };
}

/** The bytes that one side sent on one connection, joined. */
export function recordedBytes(
  events: readonly RecordedEvent[],
  conn: number,
  dir: RecordedEvent["dir"],
): Buffer {
  return Buffer.concat(
    events.filter((event) => event.conn === conn && event.dir === dir).map((event) => event.bytes),
  );
}
