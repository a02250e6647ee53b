import { expect, vi } from "vitest";
import { LaneFrameDecoder } from "../../src/lane/lane-frame-decoder.ts";
import type { ByteStream } from "../../src/stream/byte-stream.ts";
import {
  LANE_DATA,
  LANE_HEADER_BYTES,
  LANE_OPEN_TCP,
  writeLaneHeader,
  writeLaneValue,
} from "../../src/wire/lane-frame.ts";
import { FRAME_LANE, streamHeader } from "../../src/wire/stream-frame.ts";
import { lanePair } from "./lane-pair.ts";
import { type MemoryStream, memoryPair } from "./memory-stream.ts";
import { RecordingReader } from "./recording-reader.ts";

/** A frame of a lane; a number is a u32. */
export function frame(type: number, stream: number, body: Buffer | string | number = ""): Buffer {
  const value = typeof body === "number" ? Buffer.alloc(4) : Buffer.from(body);
  if (typeof body === "number") writeLaneValue(value, 0, body);
  const header = Buffer.alloc(LANE_HEADER_BYTES);
  writeLaneHeader(header, 0, type, value.length, stream);
  return Buffer.concat([header, value]);
}

/** An open frame. */
export const open = (stream: number): Buffer => frame(LANE_OPEN_TCP, stream, "127.0.0.1:1");
export const data = (stream: number, body: Buffer | string): Buffer =>
  frame(LANE_DATA, stream, body);

/** Reads a lane's wire: the frames as `type stream [body]`. */
export class WireReader extends RecordingReader {
  readonly frames: string[] = [];
  readonly #decoder = new LaneFrameDecoder();
  #skip = 0;

  /** @param skip bytes before the first frame of the lane */
  constructor(stream: ByteStream, skip = 0) {
    super(stream);
    this.#skip = skip;
    this.onRead = (bytes) => {
      const from = Math.min(bytes.length, this.#skip);
      this.#skip -= from;
      this.#decoder.decode(bytes, from, bytes.length, {
        onDataFrame: (of) => this.frames.push(`data ${of} `),
        onData: (buffer, start, end) => {
          this.frames.push(`${this.frames.pop()}${buffer.toString("latin1", start, end)}`);
        },
        onOpen: (type, of, remote) => this.frames.push(`open${type} ${of} ${remote}`),
        onControl: (type, of, value) => this.frames.push(`control${type} ${of} ${value}`),
      });
      return true;
    };
  }

  async saw(...frames: string[]): Promise<void> {
    await eventually(() => expect(this.frames).toEqual(expect.arrayContaining(frames)));
  }
}

/** An exit, and the wires of its pool connections: the test is the entry. */
export function exitSide() {
  const pair = lanePair(4);
  let ids = 0;
  const connect = (): { wire: MemoryStream; id: number } => {
    const [stream, wire] = memoryPair();
    pair.exit.add(stream, (++ids).toString(16).padStart(8, "0"));
    return { wire, id: ids };
  };
  const lane = () => {
    const { wire, id } = connect();
    wire.write(streamHeader(FRAME_LANE, 0));
    return { wire, id, heard: new WireReader(wire) };
  };
  /** The exit's users, as they have come. */
  const users: RecordingReader[] = [];
  const opened = async (count: number): Promise<void> => {
    await eventually(() => {
      for (const opening of pair.openings.splice(0)) {
        opening.claim({
          onConduit: (conduit) => {
            if (conduit === undefined) return;
            const user = new RecordingReader(conduit.stream);
            users.push(user);
            const early = conduit.reader?.takeEarly();
            if (early?.bytes !== undefined) user.onBytes(early.bytes, early.bytes.length, 2);
            if (early?.ended === true) user.onEnd();
          },
        });
      }
      expect(users.length).toBe(count);
    });
  };
  return { pair, connect, lane, users, opened };
}

/** Waits without caring how slow the machine is. */
export const eventually = (probe: () => void): Promise<void> =>
  vi.waitFor(probe, { timeout: 20_000, interval: 2 });

/** Lets so many turns of the loop pass. */
export const turns = async (count = 20): Promise<void> => {
  for (let left = count; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
};
