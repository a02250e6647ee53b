import type { TrafficCounters } from "../counters.ts";
import type { TokenBucket } from "../rate/token-bucket.ts";
import type { RelayBuffers } from "../streams/relay-buffers.ts";
import type { FlushQueue } from "./flush-queue.ts";
import type { RelayRegistry } from "./relay-registry.ts";

/** What all relays of a tunnel share. */
export interface RelayContext {
  readonly buffers: RelayBuffers;
  readonly counters: TrafficCounters;
  readonly flushes: FlushQueue;
  /** Open TCP relays. */
  readonly tcpRelays: RelayRegistry;
  /** Open UDP sessions. */
  readonly udpSessions: RelayRegistry;
  /** Limits what is read from the local side; `undefined` = no limit. */
  readonly inbound: TokenBucket | undefined;
  /** Limits what is written to the local side. */
  readonly outbound: TokenBucket | undefined;
}
