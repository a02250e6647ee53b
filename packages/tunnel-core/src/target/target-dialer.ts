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
    this.deadlines = new DeadlineQueue(context.limits.tcpDialTimeoutMs, (one) => one.timeOut());
    this.staggered = new DeadlineQueue(STAGGER_MS, (dial) => dial.goOn());
  }

  /** @param place which port of a range is wanted, 0 for the first. @default 0 */
  dial(wanted: TargetWanted, place = 0): TargetDial {
    const dial = new TargetDial(this, wanted, place);
    dial.start(this.health.turn(dial));
    return dial;
  }

  /** As `dial`, but takes no user's turn and tries no target that rests while another works. */
  probe(wanted: TargetWanted): TargetDial {
    const dial = new TargetDial(this, wanted);
    dial.start(this.health.listed());
    return dial;
  }

  /** Ends every dial under way: who waits for one is told. */
  close(): void {
    this.staggered.clear();
    this.deadlines.clear((one) => one.abort());
  }
}
