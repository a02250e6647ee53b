import { formatHostPort, type HostPort } from "@nodepass/url-config";
import type { TunnelContext } from "../tunnel-context.ts";
import type { TargetState } from "../tunnel-reports.ts";

/** First rest of a target that failed, ms; it doubles with each failure after a rest. */
const FIRST_REST_MS = 1000;
const LONGEST_REST_MS = 60_000;

/** How much a new measurement counts in the mean. */
const NEW_SHARE = 0.25;

/** What is known of one target. */
interface Health {
  readonly target: HostPort;
  /** Failures in a row. */
  failures: number;
  restsUntil: number;
  /** Who tries it while it is not known to work; the others leave it alone meanwhile. */
  trier: object | undefined;
  /** Why it failed last. */
  reason: string;
  /** Mean time to connect to it, ms, of late; 0 while it is not known. */
  latencyMs: number;
}

/**
 * Which of several targets work. One that failed rests, a second at first and a minute at last;
 * after its rest one user at a time tries it again. A single target never rests; that it fails is
 * logged at the change, as that one of several rests is.
 */
export class TargetHealth {
  readonly #context: TunnelContext;
  readonly #protocol: "tcp" | "udp";
  #all: readonly Health[];
  /** Who is first in each turn, as places in the list: as often as its weight says, spread evenly. */
  #sequence: readonly number[] = [];
  /** The targets beginning with who is first in that turn. */
  #turns: readonly (readonly HostPort[])[];
  /** Called when a target has begun to rest that is to be tried in the background. */
  onRests: (() => void) | undefined;
  #next = 0;
  /** Targets that are not known to work; 0 leaves nothing to be looked at. */
  #doubted = 0;
  /** The single target has failed, and has not served since. */
  #fails = false;

  constructor(context: TunnelContext, protocol: "tcp" | "udp") {
    this.#context = context;
    this.#protocol = protocol;
    this.#all = [];
    this.#turns = [];
    this.setTargets(context.settings.targets);
    context.health.push(this);
  }

  /** Other targets from now on; what is known of those that stay is kept. */
  setTargets(targets: readonly HostPort[]): void {
    const before = this.#all;
    this.#sequence = weightedTurns(targets.map(({ weight = 1 }) => weight));
    const beginning = targets.map((_, at) => [...targets.slice(at), ...targets.slice(0, at)]);
    this.#turns = this.#sequence.map((at) => beginning[at] ?? targets);
    this.#all = targets.map((target) => {
      // A single target never rests.
      const known =
        targets.length > 1 ? before.find((one) => isSameTarget(one.target, target)) : undefined;
      const fresh = { failures: 0, restsUntil: 0, trier: undefined, reason: "", latencyMs: 0 };
      return { ...(known ?? fresh), target };
    });
    this.#next = 0;
    this.#fails = false;
    this.#doubted = this.#all.filter(
      (each) => each.failures > 0 || each.trier !== undefined,
    ).length;
  }

  /** The targets for a new user, beginning with the next one in turn; those that rest come last. */
  turn(user: object, address?: string): readonly HostPort[] {
    if (this.#isBalanced && this.#all.length > 1) return this.#balanced(user, address);
    const turn = this.#next;
    this.#next = (turn + 1) % this.#sequence.length;
    if (this.#doubted === 0) {
      const targets = this.#turns[turn];
      if (targets !== undefined) return targets;
    }
    return this.#inOrder(this.#sequence[turn] ?? 0, user);
  }

  /**
   * The targets in the order of `lbs` and `sticky`, those that rest last: no user tries one of them,
   * unless nothing else can (UDP has no connection to try).
   */
  #balanced(user: object, address: string | undefined): readonly HostPort[] {
    const order = this.#preferred(address);
    const works = (health: Health): boolean => health.failures === 0 && health.trier === undefined;
    if (this.#doubted === 0) return order.map(({ target }) => target);
    if (this.#protocol === "udp") {
      const [first] = order;
      if (first !== undefined && !works(first) && first.trier === undefined) {
        if (first.restsUntil <= performance.now()) {
          first.trier = user;
          return order.map(({ target }) => target);
        }
      }
    }
    return [...order.filter(works), ...order.filter((health) => !works(health))].map(
      ({ target }) => target,
    );
  }

  #preferred(address: string | undefined): readonly Health[] {
    const { lbs, sticky } = this.#context.settings;
    if (sticky && address !== undefined) return byAddress(this.#all, address);
    if (lbs === 2) return this.#all;
    // One that was never measured comes first, once: then it is known.
    if (lbs === 1 && this.#protocol === "tcp") {
      return this.#all.toSorted((one, other) => one.latencyMs - other.latencyMs);
    }
    const turn = this.#next;
    this.#next = (turn + 1) % this.#sequence.length;
    const at = this.#sequence[turn] ?? 0;
    return [...this.#all.slice(at), ...this.#all.slice(0, at)];
  }

  /** Whether there is an order beside turns: one that rests is tried in the background then. */
  get #isBalanced(): boolean {
    const { lbs, sticky } = this.#context.settings;
    return lbs === 1 || lbs === 2 || sticky;
  }

  /** Whether how long it takes to connect matters. */
  get measures(): boolean {
    return this.#context.settings.lbs === 1 && this.#all.length > 1 && this.#protocol === "tcp";
  }

  /** It took so long to connect, ms. */
  measured(target: HostPort, ms: number): void {
    const health = this.#of(target);
    if (health === undefined) return;
    const mean = health.latencyMs;
    health.latencyMs = Math.max(0.001, mean === 0 ? ms : mean + (ms - mean) * NEW_SHARE);
  }

  /** All targets, and those that rest. */
  get all(): readonly HostPort[] {
    return this.#all.map(({ target }) => target);
  }
  get resting(): readonly HostPort[] {
    return this.#all.filter(({ failures }) => failures > 0).map(({ target }) => target);
  }

  /** The targets as they are listed, those that rest last: takes no user's turn, tries none. */
  listed(): readonly HostPort[] {
    return this.#doubted === 0 ? this.#context.settings.targets : this.#inOrder(0, undefined);
  }

  #inOrder(first: number, user: object | undefined): readonly HostPort[] {
    const all = [...this.#all.slice(first), ...this.#all.slice(0, first)];
    const now = performance.now();
    const works = (health: Health): boolean => health.failures === 0 && health.trier === undefined;
    const [begins] = all;
    if (user !== undefined && begins !== undefined && !works(begins)) {
      // Its turn and its rest is over: this user tries it.
      if (begins.trier === undefined && begins.restsUntil <= now) {
        begins.trier = user;
        return all.map(({ target }) => target);
      }
    }
    return [...all.filter(works), ...all.filter((health) => !works(health))].map(
      ({ target }) => target,
    );
  }

  /** It has not answered for a while: others leave it alone until it is known what becomes of it. */
  doubt(target: HostPort, trier: object): void {
    const health = this.#of(target);
    if (health === undefined || health.trier !== undefined) return;
    if (health.failures === 0) this.#doubted++;
    health.trier = trier;
  }

  /** Whether this one is to find out what becomes of the target. */
  tries(target: HostPort, trier: object): boolean {
    return this.#of(target)?.trier === trier;
  }

  /** This one will not know what became of the target. */
  giveUp(target: HostPort, trier: object): void {
    const health = this.#of(target);
    if (health?.trier !== trier) return;
    health.trier = undefined;
    if (health.failures === 0) this.#doubted--;
  }

  worked(target: HostPort): void {
    if (this.#fails) {
      this.#fails = false;
      this.#logServes(target);
    }
    if (this.#doubted === 0) return;
    const health = this.#of(target);
    if (health === undefined || (health.failures === 0 && health.trier === undefined)) return;
    this.#doubted--;
    health.trier = undefined;
    if (health.failures === 0) return;
    health.failures = 0;
    this.#logServes(target);
    this.#context.onTarget(this.#state(health));
  }

  #logServes(target: HostPort): void {
    this.#context.log("info", "target serves again", {
      target: formatHostPort(target),
      protocol: this.#protocol,
    });
  }

  failed(target: HostPort, error: unknown): void {
    this.#context.counters.dialErrors++;
    const health = this.#of(target);
    const reason = error instanceof Error ? error.message : String(error);
    if (health === undefined) {
      if (this.#fails || this.#all.length > 1) return;
      this.#fails = true;
      this.#context.log("warn", "target fails", {
        target: formatHostPort(target),
        protocol: this.#protocol,
        reason,
      });
      return;
    }
    const now = performance.now();
    // One failure, however many users met it.
    const counts = health.failures === 0 || health.restsUntil <= now;
    if (health.failures === 0 && health.trier === undefined) this.#doubted++;
    health.trier = undefined;
    if (!counts) return;
    const balanced = this.#isBalanced;
    const restMs = balanced
      ? this.#context.limits.fallbackIntervalMs
      : Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** Math.min(health.failures, 16));
    if (balanced) this.onRests?.();
    health.failures++;
    health.restsUntil = now + restMs;
    health.reason = reason;
    if (health.failures > 1) return;
    this.#context.log("warn", "target rests", {
      target: formatHostPort(target),
      protocol: this.#protocol,
      reason,
    });
    this.#context.onTarget(this.#state(health));
  }

  states(): TargetState[] {
    return this.#all.map((health) => this.#state(health));
  }

  #state(health: Health): TargetState {
    return {
      target: formatHostPort(health.target),
      protocol: this.#protocol,
      resting: health.failures > 0,
      failures: health.failures,
      reason: health.failures > 0 ? health.reason : undefined,
    };
  }

  /** `undefined` for a single target: there is no other to turn to. */
  #of(target: HostPort): Health | undefined {
    if (this.#all.length < 2) return undefined;
    // Who began before the targets were set anew holds other objects than these.
    return this.#all.find((health) => isSameTarget(health.target, target));
  }
}

/**
 * Places in a list, each as often as its weight says, spread as evenly as can be (smooth weighted
 * round robin).
 *
 * @example
 * weightedTurns([3, 1]); // [0, 0, 1, 0]
 */
export function weightedTurns(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const credits = weights.map(() => 0);
  return Array.from({ length: total }, () => {
    let best = 0;
    for (const [at, weight] of weights.entries()) {
      credits[at] = (credits[at] ?? 0) + weight;
      if ((credits[at] ?? 0) > (credits[best] ?? 0)) best = at;
    }
    credits[best] = (credits[best] ?? 0) - total;
    return best;
  });
}

/**
 * The targets in the order that belongs to an address (weighted rendezvous hashing): of one that goes
 * only its own users get another, and one that comes takes a share from each.
 */
function byAddress<T extends { readonly target: HostPort }>(
  all: readonly T[],
  address: string,
): readonly T[] {
  const scores = new Map(
    all.map((one) => {
      const { host, port, weight = 1 } = one.target;
      const share = (hash(`${address} ${host}:${port}`) + 0.5) / 2 ** 32;
      return [one, -weight / Math.log(share)];
    }),
  );
  return all.toSorted((one, other) => (scores.get(other) ?? 0) - (scores.get(one) ?? 0));
}

/** FNV-1a with a final mix (MurmurHash3's), 32 bits: near addresses are far apart. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** Targets that are set anew are other objects. */
export function isSameTarget(one: HostPort, other: HostPort): boolean {
  return one.port === other.port && one.host === other.host;
}
