import { type LeaseRequest, LeaseSchema, type PartKey } from "@nodepass/fleet-protocol";
import { monotonicMs } from "@nodepass/instances";
import type { PartEntry } from "../file/fleet-file.ts";
import type { MemberPost } from "../messages/member-post.ts";

/** Between two requests at least, ms. */
const MIN_INTERVAL_MS = 250;
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
  #asking = false;
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
    this.#plan(interval);
    if (this.#asking) return;
    this.#asking = true;
    try {
      // It is over before the next one, which nobody who does not answer holds up.
      await this.#ask(entries, interval);
    } catch {
      // No leader, or none that answers: the lease that is there ends by itself.
    } finally {
      this.#asking = false;
    }
  }

  async #ask(entries: readonly PartEntry[], timeoutMs: number): Promise<void> {
    const { post, onLease } = this.#options;
    const request: LeaseRequest = {
      session: post.session,
      parts: entries.map(({ sid, part, epoch }) => ({ sid, part, epoch })),
    };
    const sentAt = monotonicMs();
    const { parts } = await post.ask(post.subjects.lease, request, LeaseSchema, timeoutMs);
    for (const { sid, part, epoch, ttlMs } of parts) {
      onLease({ sid, part, epoch, until: sentAt + ttlMs });
    }
  }
}
