import type {
  Applied,
  Lease,
  LeaseRequest,
  PartOrder,
  PartReport,
  Prepared,
  Seen,
  Sync,
  Synced,
} from "@nodepass/fleet-protocol";
import { parseTunnelUrlLenient } from "@nodepass/url-config";
import type { Network } from "./network.ts";
import { ProcessClock, type VirtualTime } from "./virtual-time.ts";

/** A part at a member, as its own file has it: it outlives the process. */
interface HeldPart {
  readonly order: PartOrder;
  readonly outcome: "applied" | "failed" | "released";
  readonly instance: string | null;
}

/** How a simulated member behaves. */
export interface SimMemberOptions {
  readonly mid: string;
  readonly name: string;
  readonly time: VirtualTime;
  readonly network: Network;
  /** What its monotonic clock says at the beginning. */
  readonly offset: number;
  /** Whether it can run a part; called at each start. */
  readonly canRun?: ((order: PartOrder) => string | undefined) | undefined;
}

/** Counted anew for each port that is `auto`. */
const FIRST_PORT = 20_000;

/**
 * A member by the rules of section 7, without tunnels: it holds parts, asks for leases, and serves a
 * strict part only while one is alive.
 */
export class SimMember {
  readonly mid: string;
  readonly name: string;
  readonly #options: SimMemberOptions;
  readonly #held = new Map<string, HeldPart>();
  /** Until when strict parts may serve here, by the monotonic clock. */
  readonly #until = new Map<string, number>();
  #highest = 0;
  #bucket = "";
  #seen: Seen | undefined;
  #port = FIRST_PORT;
  #boots = 0;
  #clock: ProcessClock;
  #stops: (() => void)[] = [];
  #isUp = false;
  /** Local instances by id, which `adopt` and `detach` are about. */
  readonly local = new Map<
    string,
    { readonly url: string; readonly alias: string; readonly sid?: string }
  >();

  constructor(options: SimMemberOptions) {
    this.#options = options;
    this.mid = options.mid;
    this.name = options.name;
    this.#clock = new ProcessClock(options.time, options.offset);
  }

  get session(): string {
    return `${this.mid}-${this.#boots}`;
  }

  get clock(): ProcessClock {
    return this.#clock;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  start(): void {
    if (this.#isUp) return;
    this.#boots += 1;
    this.#isUp = true;
    this.#clock = new ProcessClock(this.#options.time, this.#options.offset + this.#boots * 7919);
    this.#until.clear();
    this.#every(5000, () => this.#beat());
    this.sync();
    this.#askLeases();
  }

  /** Its process is gone at once; what it holds is on disk. */
  kill(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#clock.kill();
    for (const stop of this.#stops.splice(0)) stop();
  }

  /** Whether users of a part are served here at this moment, by the check that workers make. */
  serves(sid: string, part: number): boolean {
    const held = this.#held.get(`${sid}/${part}`);
    if (!this.#isUp || held === undefined || held.outcome !== "applied") return false;
    if (!held.order.running) return false;
    if (!held.order.strict) return true;
    return this.#clock.monotonic() < (this.#until.get(`${sid}/${part}`) ?? 0);
  }

  order(sid: string, part: number): PartOrder | undefined {
    const held = this.#held.get(`${sid}/${part}`);
    return held?.outcome === "released" ? undefined : held?.order;
  }

  /** All that it runs, as its API has it. */
  instances(): {
    readonly id: string;
    readonly url: string;
    readonly alias: string;
    readonly sid: string;
  }[] {
    const parts = [...this.#held.values()].flatMap(({ order: { url, alias, sid }, instance }) =>
      instance === null ? [] : [{ id: instance, url, alias, sid }],
    );
    const local = [...this.local].map(([id, { url, alias, sid = "" }]) => ({
      id,
      url,
      alias,
      sid,
    }));
    return [...parts, ...local];
  }

  /** The store is another one from now on: its revisions begin anew. */
  loseStore(): void {
    this.#highest = 0;
    this.#bucket = "lost";
    this.#seen = undefined;
    for (const [key, { order, ...held }] of this.#held) {
      this.#held.set(key, { order: { ...order, rev: 0 }, ...held });
    }
  }

  parts(): string[] {
    return [...this.#held].filter(([, { outcome }]) => outcome === "applied").map(([key]) => key);
  }

  apply(orders: readonly PartOrder[]): Applied {
    return { reports: orders.map((order) => this.#take(order)) };
  }

  prepare(url: string): Prepared {
    let filled = url;
    while (/:auto(?=[/?,]|$)/.test(filled)) {
      this.#port += 1;
      filled = filled.replace(/:auto(?=[/?,]|$)/, `:${this.#port}`);
    }
    try {
      const { settings } = parseTunnelUrlLenient(filled);
      const tunnelPort = settings.scheme === "server" ? settings.tunnel.port : 0;
      const reason = this.refuses?.(filled);
      if (reason !== undefined) return { ok: false, reason, status: 409, url: "", tunnelPort: 0 };
      return { ok: true, reason: "", status: 200, url: filled, tunnelPort };
    } catch (error) {
      const reason = error instanceof Error ? error.message : "";
      return { ok: false, reason, status: 400, url: "", tunnelPort: 0 };
    }
  }

  /** Parts (`sid/part`) that are made, but whose tunnels are in error; `*`: all. */
  readonly inError = new Set<string>();

  /** Set by a test: why it says no to a URL. */
  refuses: ((url: string) => string | undefined) | undefined;

  /** The connection is back. */
  sync(): void {
    const session = this.session;
    const sync: Sync = {
      session,
      version: "sim",
      name: this.name,
      allow: ["apply", "api", "read"],
      revision: this.#highest,
      bucket: this.#bucket,
      seen: this.#seen,
      parts: [...this.#held.values()]
        .filter(({ outcome }) => outcome !== "released")
        .map((held) => reportOf(held)),
      local: this.local.size,
    };
    void this.#options.network.sync(this, sync).then((synced) => {
      if (!this.#isUp || session !== this.session) return;
      if (synced?.answer === "set") this.#synced(synced);
      else this.#clock.after(synced?.answer === "busy" ? synced.afterMs : 2000, () => this.sync());
    });
  }

  #see(revision: number, proof: Uint8Array | undefined): void {
    if (proof !== undefined && revision >= (this.#seen?.revision ?? 0)) {
      this.#seen = { revision, proof };
    }
  }

  #synced({ revision, bucket, seen, orders }: Extract<Synced, { answer: "set" }>): void {
    const named = new Set(orders.map(keyOf));
    const reports = orders.map((order) => this.#take(order));
    const isKnown = this.#bucket === "" || this.#bucket === bucket;
    const isWhole = this.parts().every((key) => named.has(key));
    if (revision >= this.#highest && isKnown) {
      for (const [key, held] of this.#held) {
        if (named.has(key) || held.outcome === "released") continue;
        this.#release(key, { ...held.order, gone: true, keep: false });
        const now = this.#held.get(key);
        if (now !== undefined) reports.push(reportOf(now));
      }
    }
    // Another store is this member's when it names all that runs here.
    if (isKnown || isWhole) {
      this.#bucket = bucket;
      this.#see(revision, seen);
    }
    this.#highest = Math.max(this.#highest, revision);
    if (reports.length > 0) this.#options.network.done(this, { reports });
  }

  /** Rule 2: a record counts only if it is newer than the one applied and its epoch not lower. */
  #take(order: PartOrder): PartReport {
    const key = keyOf(order);
    const held = this.#held.get(key);
    const isOlder =
      held !== undefined && (order.rev <= held.order.rev || order.epoch < held.order.epoch);
    if (isOlder) return reportOf(held);
    this.#highest = Math.max(this.#highest, order.rev);
    this.#see(order.rev, order.seen);
    if (order.gone) {
      this.#release(key, order);
    } else {
      const reason = this.#options.canRun?.(order);
      const instance = held?.instance ?? order.adopt ?? `${this.mid}-${key}`;
      if (order.adopt !== null) this.local.delete(order.adopt);
      const isInError = this.inError.has(key) || this.inError.has("*");
      const outcome = reason === undefined && !isInError ? "applied" : "failed";
      this.#held.set(key, { order, outcome, instance: reason === undefined ? instance : null });
      this.#bound(key, order, held);
      if (order.strict) this.#askLeases();
    }
    const now = this.#held.get(key);
    if (now === undefined) throw new Error(`${key} is not held`);
    return reportOf(now);
  }

  #release(key: string, order: PartOrder): void {
    const held = this.#held.get(key);
    if (order.keep && held !== undefined && held.instance !== null) {
      this.local.set(held.instance, { url: held.order.url, alias: held.order.alias });
    }
    this.#until.delete(key);
    this.#held.set(key, { order, outcome: "released", instance: null });
  }

  #beat(): void {
    const running = this.parts().length;
    this.#options.network.heartbeat(this, {
      s: this.session,
      r: this.#highest,
      n: [running + this.local.size, 0, 0],
      d: 0,
      c: -1,
      m: 0,
      t: [0, 0, 0, 0],
    });
  }

  #leaseTimer: (() => void) | undefined;

  /** Every quarter of the shortest TTL of its parts; also the word of life for `serve`. */
  #askLeases(): void {
    this.#leaseTimer?.();
    const parts: LeaseRequest["parts"] = [];
    let ttlMs = Number.POSITIVE_INFINITY;
    for (const { order, outcome } of this.#held.values()) {
      if (outcome === "released" || order.ttlMs === 0) continue;
      ttlMs = Math.min(ttlMs, order.ttlMs);
      parts.push({ sid: order.sid, part: order.part, epoch: order.epoch });
    }
    this.#leaseTimer = this.#clock.after(Math.min(ttlMs / 4, 2000), () => this.#askLeases());
    if (parts.length === 0) return;
    const sentAt = this.#clock.monotonic();
    const session = this.session;
    void this.#options.network.lease(this, { session, parts }, (lease) => {
      if (this.#isUp && session === this.session) this.#leased(lease, sentAt);
    });
  }

  #leased({ parts }: Lease, sentAt: number): void {
    for (const { sid, part, epoch, ttlMs } of parts) {
      const key = `${sid}/${part}`;
      const order = this.order(sid, part);
      if (order?.strict !== true || order.epoch !== epoch) continue;
      this.#until.set(key, Math.max(this.#until.get(key) ?? 0, sentAt + ttlMs));
    }
  }

  /**
   * As the agent does: what becomes strict while it runs goes on for its TTL; a shorter TTL shortens the
   * lease that is there.
   */
  #bound(key: string, order: PartOrder, before: HeldPart | undefined): void {
    if (!order.strict) {
      this.#until.delete(key);
      return;
    }
    const longest = this.#clock.monotonic() + order.ttlMs;
    const wasFree = before?.outcome === "applied" && !before.order.strict;
    const now = this.#until.get(key);
    if (wasFree || (now !== undefined && now > longest)) this.#until.set(key, longest);
  }

  #every(ms: number, action: () => void): void {
    let stop = (): void => undefined;
    const run = () => {
      action();
      stop = this.#clock.after(ms, run);
    };
    run();
    this.#stops.push(() => stop());
  }
}

function keyOf({ sid, part }: { readonly sid: string; readonly part: number }): string {
  return `${sid}/${part}`;
}

function reportOf({ order, outcome, instance }: HeldPart): PartReport {
  return {
    sid: order.sid,
    part: order.part,
    rev: order.rev,
    epoch: order.epoch,
    outcome,
    reason: outcome === "failed" ? "it can't" : "",
    instance,
    running: outcome !== "released" && instance !== null && order.running,
    carried: outcome === "released" ? { tcprx: 0, tcptx: 0, udprx: 0, udptx: 0 } : null,
    ...{ policy: order.policy, proof: order.proof },
  };
}
