import { isIP } from "node:net";
import { formatHostPort, type HostPort, type ProxyAddress } from "@nodepass/url-config";
import { TunnelError } from "../errors.ts";
import type { Latency } from "../latencies.ts";
import type { ResolvedAddress } from "../names/name-cache.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import { isOwnFault } from "../system-errors.ts";
import type { DialParts, Staggered, Timed } from "./dial-parts.ts";
import { portOf } from "./port-of.ts";
import { type AttemptOwner, TargetAttempt } from "./target-attempt.ts";

/** Who wants a connection to a target. Exactly one of the two is called, unless cancelled. */
export interface TargetWanted {
  /**
   * The stream's reader does nothing: set another at once.
   *
   * @param address the target's, as far as it is known: through a proxy its host as it is given
   * @param early what the target has said already (behind a proxy's answer)
   */
  onTarget(stream: ByteStream, address: string, port: number, early?: Buffer): void;
  onNoTarget(error: TunnelError): void;
}

/** Addresses of a target that are still to be tried. */
interface Addresses {
  readonly target: HostPort;
  /** The addresses are those of the proxy on the way to it. */
  readonly through: ProxyAddress | undefined;
  readonly list: readonly ResolvedAddress[];
  next: number;
}

const NONE: readonly TargetAttempt[] = [];

/** One user's connection to any of the targets in the making. */
export class TargetDial implements AttemptOwner, Timed, Staggered {
  readonly dialer: DialParts;
  readonly #wanted: TargetWanted;
  #targets: readonly HostPort[] = [];
  #nextTarget = 0;
  #addresses: Addresses | undefined;
  /** Others, whose names were resolved late. */
  #later: Addresses[] | undefined;
  /** Names being looked up. */
  #lookups = 0;
  /** Counts their time limits that have passed: an answer from before one comes too late. */
  #round = 0;
  /** Attempts under way: one, or several after 300 ms. */
  #attempts: readonly TargetAttempt[] = NONE;
  #lastError: unknown;
  #done = false;
  /** When its first look-up or attempt began, and when an attempt succeeded; 0 before. */
  #startedAt = 0;
  connectedAt = 0;
  readonly #latency: Latency | undefined;

  /** Which port of a range is wanted. */
  readonly place: number;

  /**
   * @param latency gets the time that it took, if it succeeds
   * @param place which port of a range is wanted, 0 for the first. @default 0
   */
  constructor(dialer: DialParts, wanted: TargetWanted, latency?: Latency, place = 0) {
    this.place = place;
    this.dialer = dialer;
    this.#wanted = wanted;
    this.#latency = latency;
  }

  start(targets: readonly HostPort[]): void {
    this.#targets = targets;
    this.#advance();
  }

  /** Gives up without calling back. */
  cancel(): void {
    if (this.#done) return;
    this.#finish();
    for (const attempt of this.#attempts) attempt.drop();
  }

  /** The tunnel closes. */
  abort(): void {
    if (this.#done) return;
    this.cancel();
    this.#wanted.onNoTarget(new TunnelError("CLOSED", "the tunnel has closed"));
  }

  /** What is under way has not answered for 300 ms: the next attempt begins beside it. */
  goOn(): void {
    for (const { target } of this.#attempts) this.dialer.health.doubt(target, this);
    this.#advance();
  }

  /** A look-up takes too long. */
  timeOut(): void {
    this.#lookups = 0;
    this.#round++;
    this.#lastError = new TunnelError(
      "NAME_NOT_RESOLVED",
      `no answer to a look-up within ${this.dialer.context.limits.tcpDialTimeoutMs} ms`,
    );
    this.#advance();
  }

  /** Begins the next attempt, or fails when nothing is left and nothing under way. */
  #advance(): void {
    for (;;) {
      if (this.#done) return;
      const addresses = this.#addresses;
      const resolved = addresses?.list[addresses.next];
      if (addresses !== undefined && resolved !== undefined) {
        addresses.next++;
        if (this.#attempt(addresses, resolved)) return;
        continue;
      }
      this.#addresses = this.#later?.pop();
      if (this.#addresses !== undefined) continue;
      const target = this.#targets[this.#nextTarget];
      if (target === undefined) {
        if (this.#attempts.length === 0 && this.#lookups === 0) this.#fail();
        return;
      }
      this.#nextTarget++;
      if (portOf(target, this.place) === undefined) {
        this.#lastError = new TunnelError(
          "TARGET_UNREACHABLE",
          `its range has no port for the ${this.place + 1}. of the entry's`,
        );
        continue;
      }
      let through: ProxyAddress | undefined;
      try {
        through = this.dialer.proxyTo(target);
      } catch (error) {
        this.#lastError = error;
        continue;
      }
      const list = this.dialer.context.names.resolve(through?.host ?? target.host);
      if (list instanceof Promise) {
        this.#await(target, through, list);
        return;
      }
      this.#addresses = { target, through, list, next: 0 };
    }
  }

  #await(
    target: HostPort,
    through: ProxyAddress | undefined,
    lookup: Promise<readonly ResolvedAddress[]>,
  ): void {
    const { deadlines } = this.dialer;
    const round = this.#round;
    this.#lookups++;
    deadlines.delete(this);
    const now = deadlines.add(this);
    if (this.#startedAt === 0) this.#startedAt = now;
    this.#stagger();
    // After its time limit nobody waits for it any more.
    const answered = (): boolean => {
      if (this.#done || round !== this.#round) return false;
      if (--this.#lookups === 0) deadlines.delete(this);
      return true;
    };
    lookup.then(
      (list) => {
        if (!answered()) return;
        if (this.#addresses !== undefined) {
          this.#later ??= [];
          this.#later.push(this.#addresses);
        }
        this.#addresses = { target, through, list, next: 0 };
        this.#advance();
      },
      (error: unknown) => {
        if (!answered()) return;
        this.#lastError = error;
        this.dialer.health.failed(target, error);
        this.#advance();
      },
    );
  }

  /** @returns whether an attempt has begun */
  #attempt({ target, through }: Addresses, { address, family }: ResolvedAddress): boolean {
    const { localAddress } = this.dialer;
    if (localAddress !== undefined && isIP(localAddress) !== family) {
      this.#lastError = new TunnelError(
        "TARGET_UNREACHABLE",
        `dial address ${localAddress} and target address ${address} are of two families`,
      );
      return false;
    }
    const attempt = new TargetAttempt(this, target, address, through);
    // As long as it has to be: an array that grows takes room for sixteen more.
    this.#attempts = this.#attempts.length === 0 ? [attempt] : [...this.#attempts, attempt];
    const now = attempt.start();
    if (this.#startedAt === 0) this.#startedAt = now;
    this.#stagger();
    return true;
  }

  /** With nothing else to try there is nothing to wait for. */
  #stagger(): void {
    const addresses = this.#addresses;
    const more = addresses !== undefined && addresses.next < addresses.list.length;
    if (!more && this.#nextTarget >= this.#targets.length && this.#later === undefined) return;
    const { staggered } = this.dialer;
    staggered.delete(this);
    staggered.add(this);
  }

  connected(attempt: TargetAttempt, stream: ByteStream, early?: Buffer): void {
    const { target, address, through } = attempt;
    const { health, context } = this.dialer;
    this.connectedAt = performance.now();
    this.#latency?.observe(this.connectedAt - this.#startedAt);
    health.worked(target);
    for (const other of this.#attempts) {
      if (other === attempt) continue;
      // Whether another target works is found out without the user, once. An address that was
      // overtaken by another one of its name comes after that.
      if (other.target !== target && health.tries(other.target, this)) {
        other.detach();
        continue;
      }
      if (other.target === target && through === undefined) {
        context.names.failed(target.host, other.address);
      }
      other.drop();
    }
    this.#finish();
    this.#wanted.onTarget(
      stream,
      through === undefined ? address : target.host,
      portOf(target, this.place) ?? target.port,
      early,
    );
  }

  failed(attempt: TargetAttempt, error: Error): void {
    const { target, address, through } = attempt;
    this.#attempts = this.#attempts.filter((other) => other !== attempt);
    this.#lastError = error;
    if (!isOwnFault(error)) {
      // Through a proxy it is not known whose address has failed.
      if (through === undefined) this.dialer.context.names.failed(target.host, address);
      const left = this.#addresses;
      const more =
        this.#attempts.some((other) => other.target === target) ||
        (left?.target === target && left.next < left.list.length);
      if (!more) this.dialer.health.failed(target, error);
    }
    if (!this.#done) this.#advance();
  }

  #finish(): void {
    this.#done = true;
    const { deadlines, staggered, health } = this.dialer;
    if (this.#lookups > 0) deadlines.delete(this);
    staggered.delete(this);
    if (this.#targets.length === 1) return;
    for (const target of this.#targets) {
      if (!this.#attempts.some((attempt) => attempt.target === target)) {
        health.giveUp(target, this);
      }
    }
  }

  #fail(): void {
    this.#finish();
    const names = this.#targets.map(formatHostPort).join(", ");
    const cause = this.#lastError;
    const why = cause instanceof Error ? cause.message : "no address";
    this.#wanted.onNoTarget(
      new TunnelError("TARGET_UNREACHABLE", `target ${names} unreachable: ${why}`, { cause }),
    );
  }
}
