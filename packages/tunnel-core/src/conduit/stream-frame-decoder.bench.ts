import { test } from "vitest";
import {
  FRAME_DATA,
  FRAME_FIN,
  FRAME_OPEN_TCP,
  openFrame,
  STREAM_HEADER_BYTES,
  streamHeader,
  writeStreamHeader,
} from "../wire/stream-frame.ts";
import { StreamFrameDecoder, type StreamFrameSink } from "./stream-frame-decoder.ts";

/** Takes everything at once; counts, so that nothing is optimized away. */
class Counter implements StreamFrameSink {
  bytes = 0;
  events = 0;
  onData(_buffer: Buffer, start: number, end: number): void {
    this.bytes += end - start;
  }
  onFin(): boolean {
    this.events++;
    return true;
  }
  onOpen(): void {
    this.events++;
  }
}

function dataFrame(bytes: number): Buffer {
  const frame = Buffer.alloc(STREAM_HEADER_BYTES + bytes);
  writeStreamHeader(frame, 0, FRAME_DATA, bytes);
  return frame;
}

test("stream frames", async ({ bench }) => {
  const sink = new Counter();
  const decoder = new StreamFrameDecoder();
  const request = dataFrame(64);
  await bench("a data frame of 64 bytes", () => {
    decoder.decode(request, 0, request.length, sink);
  }).run();
  const bulk = dataFrame(512 * 1024 - STREAM_HEADER_BYTES);
  await bench("a data frame of 512 KiB", () => {
    decoder.decode(bulk, 0, bulk.length, sink);
  }).run();
  const connection = Buffer.concat([
    openFrame(FRAME_OPEN_TCP, "203.0.113.7:50123"),
    request,
    streamHeader(FRAME_FIN, 0),
  ]);
  await bench("a connection of one request: open, data, fin", () => {
    const rest = decoder.decode(connection, 0, connection.length, sink);
    decoder.decode(connection, rest, connection.length, sink);
  }).run();
  if (sink.bytes === 0 || sink.events === 0) throw new Error("nothing was decoded");
});
