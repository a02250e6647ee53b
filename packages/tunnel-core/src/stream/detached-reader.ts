import type { StreamReader } from "./byte-stream.ts";

/** Reader of a stream that nobody uses (any more): takes its events, keeps nothing. */
export const DETACHED_READER: StreamReader = {
  onBytes: () => false,
  onEnd: () => {},
  onDrain: () => {},
  onError: () => {},
  onClose: () => {},
};
