import { MasterServerError } from "../master-server-error.ts";

/** What one client, or many, may take of the server. */
export interface ServerLimitOptions {
  /**
   * Connections at once, 1 to 1 000 000. One more closes the connection that has waited longest
   * for a request; if none waits, the new one is closed. @default 1024
   */
  maxConnections?: number | undefined;
  /** Bytes of a request's line and headers; more is answered 431. 1024 to 1 048 576. @default 16384 */
  maxHeaderBytes?: number | undefined;
  /** Longest TLS handshake, ms, 1 to 600 000. @default 10000 */
  handshakeTimeoutMs?: number | undefined;
  /** Longest wait for a request's headers, ms, 1 to 600 000; then 408. @default 10000 */
  headersTimeoutMs?: number | undefined;
  /** Longest wait for a whole request, ms, at least `headersTimeoutMs`; then 408. @default 60000 */
  requestTimeoutMs?: number | undefined;
  /** How long a connection may wait for its next request, ms, 0 to 3 600 000. @default 95000 */
  keepAliveTimeoutMs?: number | undefined;
  /**
   * A connection on which nothing moves for this long while a request is answered is cut, ms, at
   * least 20 000: event streams send something every 15 s. @default 60000
   */
  stallTimeoutMs?: number | undefined;
}

/** {@link ServerLimitOptions} with every default filled in. */
export type ServerLimits = { readonly [Name in keyof ServerLimitOptions]-?: number };

/** What a server takes where an option is absent. */
export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  maxConnections: 1024,
  maxHeaderBytes: 16_384,
  handshakeTimeoutMs: 10_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  // Above the 90 s of Go's client, which the dashboard uses: who closes first has no race.
  keepAliveTimeoutMs: 95_000,
  stallTimeoutMs: 60_000,
};

const RANGES: { readonly [Name in keyof ServerLimits]: readonly [number, number] } = {
  maxConnections: [1, 1_000_000],
  maxHeaderBytes: [1024, 1_048_576],
  handshakeTimeoutMs: [1, 600_000],
  headersTimeoutMs: [1, 600_000],
  requestTimeoutMs: [1, 3_600_000],
  keepAliveTimeoutMs: [0, 3_600_000],
  stallTimeoutMs: [20_000, 3_600_000],
};

/**
 * Fills in defaults and checks the ranges.
 *
 * @throws {MasterServerError} `INVALID_OPTIONS`, naming the option, its value and its limits
 */
export function resolveServerLimits(options: ServerLimitOptions): ServerLimits {
  const limits: { -readonly [Name in keyof ServerLimits]: number } = { ...DEFAULT_SERVER_LIMITS };
  for (const name of Object.keys(limits) as (keyof ServerLimits)[]) {
    const value = options[name] ?? limits[name];
    const [lowest, highest] = RANGES[name];
    const least = name === "requestTimeoutMs" ? limits.headersTimeoutMs : lowest;
    if (!Number.isInteger(value) || value < least || value > highest) {
      const range = `must be an integer from ${least} to ${highest}`;
      throw new MasterServerError("INVALID_OPTIONS", `limits.${name} is ${value}, ${range}`);
    }
    limits[name] = value;
  }
  return limits;
}
