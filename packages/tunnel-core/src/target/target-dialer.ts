import type { HostPort } from "@nodepass/url-config";
import { DeadlineQueue } from "../deadline-queue.ts";
import { STAGGER_MS } from "../names/connect-first.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import type { DialParts, Staggered, Timed } from "./dial-parts.ts";
import { TargetDial, type TargetWanted } from "./target-dial.ts";
import { TargetHealth } from "./target-health.ts";

export type { TargetDial, TargetWanted };

/**
 * Dials the targets in turn. The next address or target is tried when one refuses, and beside one
 * that has not answered in 300 ms (as in RFC 8305); a target that failed rests.
 */
export class TargetDialer implements DialParts {
  readonly context: TunnelContext;
  readonly health: TargetHealth;
  readonly deadlines: DeadlineQueue<Timed>;
  /** Dials that begin their next attempt beside those under way. */
  readonly staggered: DeadlineQueue<Staggered>;
  /** Source address, or `undefined` for the system's choice. */
  readonly localAddress: string | undefined;
  readonly proxyTo: DialParts["proxyTo"];

  /** @param proxyTo the proxy on the way to a target. @default none */
  constructor(context: TunnelContext, proxyTo: DialParts["proxyTo"] = () => undefined) {
    this.context = context;
    this.proxyTo = proxyTo;
    const { dial } = context.settings;
    this.localAddress = dial === "auto" ? undefined : dial;
    this.health = new TargetHealth(context, "tcp");
    this.health.onRests = () => this.#tryLater();
    this.deadlines = new DeadlineQueue(context.limits.tcpDialTimeoutMs, (one) => one.timeOut());
    this.staggered = new DeadlineQueue(STAGGER_MS, (dial) => dial.goOn());
  }

  /**
   * @param place which port of a range is wanted, 0 for the first. @default 0
   * @param address the user's, where `sticky` looks at it
   */
  dial(wanted: TargetWanted, place = 0, address?: string): TargetDial {
    const dial = new TargetDial(this, wanted, this.context.latencies.dial, place);
    if (this.health.measures) this.#keepMeasuring();
    dial.start(this.health.turn(dial, address));
    return dial;
  }

  #trial: NodeJS.Timeout | undefined;
  #measuring: NodeJS.Timeout | undefined;
  #used = false;

  /** Targets that rest are tried without a user, as long as there are any. */
  #tryLater(): void {
    this.#trial ??= setTimeout(() => {
      this.#trial = undefined;
      const { resting } = this.health;
      for (const target of resting) this.#try(target);
      // Those that fail again ask for the next one; those that take their time have it, too.
      if (resting.length > 0) this.#tryLater();
    }, this.context.limits.fallbackIntervalMs);
  }

  /** While users come each target's latency is kept up to date. */
  #keepMeasuring(): void {
    this.#used = true;
    this.#measuring ??= setInterval(() => {
      if (!this.#used) {
        clearInterval(this.#measuring);
        this.#measuring = undefined;
        return;
      }
      this.#used = false;
      const resting = new Set(this.health.resting);
      for (const target of this.health.all) if (!resting.has(target)) this.#try(target);
    }, this.context.limits.reportIntervalMs);
  }

  #try(target: HostPort): void {
    new TargetDial(this, { onTarget: (stream) => stream.destroy(), onNoTarget: () => {} }).start([
      target,
    ]);
  }

  /** As `dial`, but takes no user's turn and tries no target that rests while another works. */
  probe(wanted: TargetWanted): TargetDial {
    const dial = new TargetDial(this, wanted);
    dial.start(this.health.listed());
    return dial;
  }

  /** Ends every dial under way: who waits for one is told. */
  close(): void {
    clearTimeout(this.#trial);
    clearInterval(this.#measuring);
    this.health.onRests = undefined;
    this.staggered.clear();
    this.deadlines.clear((one) => one.abort());
  }
}
