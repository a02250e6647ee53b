import type { TrafficCounters } from "../counters.ts";
import type { DeadlineQueue } from "../deadline-queue.ts";
import type { Latencies } from "../latencies.ts";
import type { TokenBucket } from "../rate/token-bucket.ts";
import type { FlushQueue } from "../stream/flush-queue.ts";
import type { Lingerer } from "../stream/lingerer.ts";
import type { RelayBuffers } from "../stream/relay-buffers.ts";
import type { BlockDetector } from "../wire/block-detector.ts";
import type { FirstBytes } from "./first-bytes.ts";
import type { RelayRegistry } from "./relay-registry.ts";

/** How an entry looks for blocked protocols (`block`). */
export interface BlockInspection {
  detector(): BlockDetector;
  /** Expires what is held back. */
  readonly holds: DeadlineQueue<FirstBytes>;
}

/** Who began a relay. */
export interface RelayOwner {
  /** The local side speaks a blocked protocol; the relay is being cut. */
  onBlocked(): void;
  /** The relay is over; called once. @param carried what it has carried, bytes */
  onFinished(carried: { readonly receivedBytes: number; readonly sentBytes: number }): void;
}

/** What all relays of a tunnel share. */
export interface RelayContext {
  readonly buffers: RelayBuffers;
  readonly counters: TrafficCounters;
  readonly latencies: Latencies;
  readonly flushes: FlushQueue;
  readonly lingerer: Lingerer;
  /** Open TCP relays. */
  readonly tcpRelays: RelayRegistry;
  /** Open UDP sessions. */
  readonly udpSessions: RelayRegistry;
  /** `undefined`: nothing is blocked. */
  readonly inspection: BlockInspection | undefined;
  /** Limits what is read from the local side; `undefined` = no limit. */
  readonly inbound: TokenBucket | undefined;
  /** Limits what is written to the local side. */
  readonly outbound: TokenBucket | undefined;
}
