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

export type RecordingName = "forward" | "reverse";

const DIRECTIONS = ["open", "client>server", "server>client", "client-fin", "server-fin"] as const;

/** Number of the control connection in both recordings. */
export const CONTROL_CONN = 2;
/** The tunnel key of both recordings. */
export const RECORDED_KEY = "secret";

/** Reads a recording; a line that is not understood throws. */
export function readRecording(name: RecordingName): RecordedEvent[] {
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
