import { type LeaseRequest, LeaseSchema, type PartKey } from "@nodepass/fleet-protocol";
import { monotonicMs } from "@nodepass/instances";
import type { PartEntry } from "../file/fleet-file.ts";
import type { MemberPost } from "../messages/member-post.ts";
import { keyOf } from "./part-book.ts";

/** Between two requests at least, ms. */
const MIN_INTERVAL_MS = 250;
/**
 * While nobody answers, or a part is not named, it is asked again so soon: hubs are choosing a leader, and
 * leases go on ending, ms.
 */
const AGAIN_MS = 500;
/** Longest wait for an answer, ms: it bounds how many are waited for at once. */
const ANSWER_LIMIT_MS = 10_000;
/** Where nothing has to be renewed, it is looked so often whether that is still so, ms. */
const IDLE_INTERVAL_MS = 1000;

/** What a lease is of: until when a part may serve here, by `monotonicMs`. */
export interface GrantedLease extends PartKey {
  readonly epoch: number;
  readonly until: number;
}

/** Whom leases are asked of and given to. */
export interface LeasesOptions {
  readonly post: Pick<MemberPost, "ask" | "session" | "subjects">;
  /** Parts as they are to be. */
  entries(): readonly PartEntry[];
  /** Neither throws nor blocks. */
  onLease(lease: GrantedLease): void;
}

/**
 * Asks the leader every quarter of the shortest TTL to keep this member's parts that fail over; section 7,
 * rules 4 and 5 of the fleet's design. A lease lasts from when it was asked for. No answer is no lease.
 */
export class Leases {
  readonly #options: LeasesOptions;
  #timer: NodeJS.Timeout | undefined;
  /** The run of the hub that gave the last one. */
  #hub: string | undefined;
  #running = false;

  constructor(options: LeasesOptions) {
    this.#options = options;
  }

  /** There is a connection. */
  start(): void {
    this.#running = true;
    this.#plan(0);
  }

  /** There is none; what was given lasts till its end. */
  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  /** A part waits for its lease. */
  now(): void {
    if (this.#running) this.#plan(0);
  }

  #plan(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#turn(), ms);
  }

  async #turn(): Promise<void> {
    const entries = this.#options.entries().filter(({ ttlMs }) => ttlMs > 0);
    const shortest = Math.min(...entries.map(({ ttlMs }) => ttlMs));
    if (entries.length === 0) {
      this.#plan(IDLE_INTERVAL_MS);
      return;
    }
    const interval = Math.max(MIN_INTERVAL_MS, shortest / 4);
    this.#plan(Math.min(interval, AGAIN_MS));
    try {
      const isWhole = await this.#ask(entries, Math.min(interval, ANSWER_LIMIT_MS));
      // A part that is not named yet may be in a moment: its users wait for it.
      if (this.#running && isWhole) this.#plan(interval);
    } catch {
      // No leader, or none that answers: the lease that is there ends by itself.
    }
  }

  /** @returns whether all that may serve by a lease alone are named */
  async #ask(entries: readonly PartEntry[], timeoutMs: number): Promise<boolean> {
    const { post, onLease } = this.#options;
    const until = monotonicMs() + timeoutMs;
    const parts = entries.map(({ sid, part, epoch }) => ({ sid, part, epoch }));
    const ask = async () => {
      const request: LeaseRequest = { session: post.session, hub: this.#hub, parts };
      const sentAt = monotonicMs();
      const left = Math.max(1, until - sentAt);
      const lease = await post.ask(post.subjects.lease, request, LeaseSchema, left);
      const isKnown = lease.hub === this.#hub;
      this.#hub = lease.hub;
      return { ...lease, sentAt, isKnown };
    };
    let lease = await ask();
    // Another hub leads, or it was started anew: it gives nothing to who has not heard of it.
    if (!lease.isKnown) lease = await ask();
    const { sentAt } = lease;
    for (const { sid, part, epoch, ttlMs } of lease.parts) {
      onLease({ sid, part, epoch, until: sentAt + ttlMs });
    }
    const named = new Set(lease.parts.map(keyOf));
    return entries.every((entry) => !entry.strict || !entry.running || named.has(keyOf(entry)));
  }
}
