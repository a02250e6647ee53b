import type { Settings } from "node:http2";
import { MAX_SHARED_STREAMS, STREAM_WINDOW_BYTES } from "../shared-limits.ts";

/** Most that the library keeps for a connection, MB; the windows bound what a peer can send. */
export const SESSION_MEMORY_MB = 256;

export const SETTINGS: Settings = {
  enablePush: false,
  initialWindowSize: STREAM_WINDOW_BYTES,
  maxConcurrentStreams: MAX_SHARED_STREAMS,
  // Fewer frames for bulk; the default is 16 KiB.
  maxFrameSize: 256 * 1024,
};

/** The path of a stream's request: NodePass 1.14 asks for `/stream`. @param path of the URL */
export function streamPath(path: string): string {
  return path === "/" ? "/stream" : path;
}
