/** Streams that a client may have open on a shared connection: idle ones, and those of users. */
export const MAX_SHARED_STREAMS = 100_000;
/** What may be on the way to a reader that reads nothing: of one stream, bytes. */
export const STREAM_WINDOW_BYTES = 1024 * 1024;
/** The same of all streams of a connection. */
export const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;
/** Report intervals without an answer after which a connection is lost, as in NodePass 1.14. */
export const UNANSWERED_PINGS = 3;
