/** Bytes of the id that a server gives each pool connection of NodePass 1.14. */
export const POOL_ID_BYTES = 4;

/** What a 1.14 client says first on a stream of HTTP/2 or QUIC: it asks for the id. */
export const ASKS_ID = 0;
