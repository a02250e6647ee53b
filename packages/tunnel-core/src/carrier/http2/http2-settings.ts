import type { Settings } from "node:http2";

/** Node's module, loaded when it is used: most tunnels don't. */
export function http2(): typeof import("node:http2") {
  return process.getBuiltinModule("node:http2");
}

/** What may be on the way to a reader that reads nothing: of one stream, and of all, bytes. */
export const STREAM_WINDOW = 1024 * 1024;
export const CONNECTION_WINDOW = 16 * 1024 * 1024;
/** Most that the library keeps for a connection, MB; the windows bound what a peer can send. */
export const SESSION_MEMORY_MB = 256;
/** Streams that a client may have open: idle ones, and those of users. */
const MAX_STREAMS = 100_000;
/** Pings without an answer after which a connection is lost. */
export const UNANSWERED_PINGS = 3;

export const SETTINGS: Settings = {
  enablePush: false,
  initialWindowSize: STREAM_WINDOW,
  maxConcurrentStreams: MAX_STREAMS,
  // Fewer frames for bulk; the default is 16 KiB.
  maxFrameSize: 256 * 1024,
};

/** The path of a stream's request: NodePass 1.14 asks for `/stream`. @param path of the URL */
export function streamPath(path: string): string {
  return path === "/" ? "/stream" : path;
}
