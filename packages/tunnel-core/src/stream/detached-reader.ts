import type { StreamReader } from "./stream-reader.ts";

/** Reader of a stream that nobody uses (any more): takes its events, keeps nothing. */
export const DETACHED_READER: StreamReader = {
  onBytes: () => false,
  onEnd: () => {},
  onDrain: () => {},
  onError: () => {},
  onClose: () => {},
};
