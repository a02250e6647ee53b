import { formatHostPort, type HostPort } from "@nodepass/url-config";
import type { TargetState } from "../tunnel.ts";
import type { TunnelContext } from "../tunnel-context.ts";

/** First rest of a target that failed, ms; it doubles with each failure after a rest. */
const FIRST_REST_MS = 1000;
const LONGEST_REST_MS = 60_000;

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
  /** The targets beginning with each of them. */
  #turns: readonly (readonly HostPort[])[];
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
    this.#turns = targets.map((_, at) => [...targets.slice(at), ...targets.slice(0, at)]);
    this.#all = targets.map((target) => {
      // A single target never rests.
      const known =
        targets.length > 1 ? before.find((one) => isSameTarget(one.target, target)) : undefined;
      const fresh = { failures: 0, restsUntil: 0, trier: undefined, reason: "" };
      return { ...(known ?? fresh), target };
    });
    this.#next = 0;
    this.#fails = false;
    this.#doubted = this.#all.filter(
      (each) => each.failures > 0 || each.trier !== undefined,
    ).length;
  }

  /** The targets for a new user, beginning with the next one in turn; those that rest come last. */
  turn(user: object): readonly HostPort[] {
    const first = this.#next;
    this.#next = (first + 1) % this.#all.length;
    return (this.#doubted === 0 ? this.#turns[first] : undefined) ?? this.#inOrder(first, user);
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
    const restMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** Math.min(health.failures, 16));
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

/** Targets that are set anew are other objects. */
export function isSameTarget(one: HostPort, other: HostPort): boolean {
  return one.port === other.port && one.host === other.host;
}
