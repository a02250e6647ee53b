import { EventEmitter } from "node:events";
import { DEFAULT_TIMINGS, Ledger, type PeerCounters, type PeerTimings } from "./ledger.ts";
import type { Session114 } from "./session-114.ts";
import type { Signal } from "./signal-codec.ts";

export interface PeerEvents {
  /** A control connection stands. */
  session: [];
  /** Users are served, or (exit) their signals are expected. */
  ready: [];
  /** A session ended, for another reason than `close()`. */
  lost: [reason: string];
  signal: [direction: "sent" | "received", signal: Signal];
}

/** What server and client share: the story of their sessions, and ways to misbehave. */
export abstract class PeerNode extends EventEmitter<PeerEvents> {
  readonly timings: PeerTimings;
  protected readonly ledger = new Ledger();
  protected session: Session114 | undefined;
  protected serving = false;
  protected closed = false;
  #restart: NodeJS.Timeout | undefined;

  constructor(timings: Partial<PeerTimings> | undefined) {
    super();
    this.timings = { ...DEFAULT_TIMINGS, ...timings };
  }

  /** What the other end did that a 1.14 node would not have done. Empty is good. */
  get violations(): readonly string[] {
    return this.ledger.violations;
  }

  get counters(): Readonly<PeerCounters> {
    return this.ledger.counters;
  }

  /** Sessions so far whose control connection stood. */
  get sessions(): number {
    return this.ledger.counters.sessions;
  }

  /** Idle pool connections now. */
  get idle(): number {
    return this.session?.pool.idle ?? 0;
  }

  /** Resolves when a session serves users (now or later); rejects if the peer closes before. */
  ready(): Promise<void> {
    if (this.serving) return Promise.resolve();
    if (this.closed) return Promise.reject(new Error("peer is closed"));
    return new Promise((resolve) => this.once("ready", resolve));
  }

  /** Calls `listener` for every signal, both ways; returns how to stop that. */
  onSignal(listener: (direction: "sent" | "received", signal: Signal) => void): () => void {
    this.on("signal", listener);
    return () => this.off("signal", listener);
  }

  /** Sends a control line as it is (an LF is added). */
  sendRaw(line: string): void {
    this.session?.sendRaw(line);
  }

  sendSignal(signal: Signal): void {
    this.session?.send(signal);
  }

  /** Empties the own pool and says so. */
  sendFlush(): void {
    this.session?.flush();
  }

  /** Cuts the control connection (and with it everything); the node starts again after a while. */
  killControl(): void {
    this.session?.end("killed by the test");
  }

  /** Starts one cycle: handshake, pool, session. */
  protected abstract cycle(): Promise<void>;
  /** Releases what a cycle holds. */
  protected abstract release(): Promise<void>;

  protected hooks(): {
    observe(direction: "sent" | "received", signal: Signal): void;
    stands(): void;
    ready(): void;
    ended(reason: string): void;
  } {
    return {
      observe: (direction, signal) => this.emit("signal", direction, signal),
      stands: () => this.emit("session"),
      ready: () => {
        this.serving = true;
        this.emit("ready");
      },
      ended: (reason) => {
        this.session = undefined;
        this.serving = false;
        if (this.closed) return;
        this.ledger.counters.sessionsLost++;
        this.emit("lost", reason);
        this.restart();
      },
    };
  }

  /** Runs the next cycle after the cooldown. */
  protected restart(): void {
    void this.release().then(() => {
      if (this.closed) return;
      this.#restart = setTimeout(() => {
        this.cycle().catch((error: unknown) => {
          this.ledger.violation(`the peer itself failed: ${String(error)}`);
        });
      }, this.timings.cooldownMs);
    });
  }

  /** Ends the session and frees everything. Idempotent. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.#restart);
    this.session?.end("closed");
    await this.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
