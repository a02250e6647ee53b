import { setTimeout as delay } from "node:timers/promises";
import { type Sync, type Synced, SyncedSchema } from "@nodepass/fleet-protocol";
import type { Logger } from "@nodepass/model";
import { reconnectWait } from "../engine/backoff.ts";
import type { MemberPost } from "../messages/member-post.ts";

/** Longest wait for the answer to a sync, ms. */
const ANSWER_LIMIT_MS = 10_000;
/** A hub that does not take a sync at once is asked again at once so often. */
const MAX_AGAIN = 8;
/** So many syncs without an answer are told of once. */
const TOLD_AFTER = 3;

/** How a member syncs. */
export interface SyncingOptions {
  readonly post: MemberPost;
  /** What is said, as it is at that moment. */
  describe(): Promise<Sync>;
  onSet(set: Extract<Synced, { answer: "set" }>): Promise<void>;
  /** A hub is to be named by its run. */
  onRuns(runs: readonly string[]): void;
  onEvicted(reason: string): void;
  readonly logger: Logger;
}

/** The full set, asked for at each new connection until a hub answers. */
export class Syncing {
  readonly #options: SyncingOptions;
  #current = new AbortController();
  #synced = false;

  constructor(options: SyncingOptions) {
    this.#options = options;
  }

  /** A hub has answered on this connection. */
  get synced(): boolean {
    return this.#synced;
  }

  /** There is a new connection. */
  begin(): void {
    this.end();
    this.#current = new AbortController();
    void this.#run(this.#current.signal);
  }

  /** A hub has begun that does not know what runs here: at a random moment within this time. */
  again(withinMs: number): void {
    const { signal } = this.#current;
    // Aborted: whatever comes next syncs anyway.
    void delay(Math.random() * withinMs, undefined, { signal, ref: false })
      .then(() => this.begin())
      .catch(() => undefined);
  }

  /** The connection is gone. */
  end(): void {
    this.#current.abort();
    this.#synced = false;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      let waitMs: number;
      try {
        let answer = await this.#ask();
        // As often as there may be hubs that have not heard of each other.
        for (let tries = 0; answer.answer === "again" && tries < MAX_AGAIN; tries++) {
          this.#options.onRuns(answer.runs);
          answer = await this.#ask();
        }
        if (answer.answer === "again") throw new Error("no hub takes the sync");
        if (signal.aborted) return;
        if (answer.answer === "evicted") {
          this.#options.onEvicted(answer.reason);
          return;
        }
        if (answer.answer === "set") {
          await this.#options.onSet(answer);
          if (!signal.aborted) this.#synced = true;
          return;
        }
        // Each has a moment of its own.
        waitMs = answer.afterMs;
      } catch (error) {
        failures++;
        const reason = error instanceof Error ? error.message : String(error);
        if (failures === TOLD_AFTER) logger.warn({ reason }, "no hub of the fleet answers");
        waitMs = reconnectWait(failures);
      }
      // Aborted: the connection is gone, and so is this.
      await delay(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #ask(): Promise<Synced> {
    const { post, describe } = this.#options;
    return post.ask(post.subjects.sync, await describe(), SyncedSchema, ANSWER_LIMIT_MS);
  }
}
