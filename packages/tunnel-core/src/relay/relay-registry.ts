/** Something that ends when nothing has passed through it for long. */
export interface IdleCheckable {
  /** Set by every read; cleared by the sweep. */
  active: boolean;
  /** Sweeps in a row that found it inactive. */
  idleSweeps: number;
  /** Ends it because its idle time has run out. */
  expire(): void;
  /** Cuts it now. */
  cut(): void;
  /** The tunnel has another rate limit, or none any more. */
  limitsChanged(): void;
  /** It has been open for a moment. Called again when others have. */
  lasts?(): void;
}

/** Sweeps per idle time: an idle end comes after 1 to 1.25 times the time set. */
const SWEEPS_PER_TIMEOUT = 4;
/** Shortest sweep interval, ms. */
const MIN_SWEEP_MS = 10;
/** Longest time, ms, until a member that stays open is told that it lasts. */
const LASTS_MS = 1000;

/**
 * Everything open in a tunnel, swept for idle members by one timer instead of one per connection.
 * It stops at a sweep that finds nothing open: started and stopped for each user who comes alone it
 * would cost as much as the rest of him here.
 */
export class RelayRegistry {
  readonly #members = new Set<IdleCheckable>();
  #sweepMs = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Some have not been told yet that they last. */
  #young: NodeJS.Timeout | undefined;
  /**
   * The first member has been told, at once: keep-alive gives a socket properties that others have not,
   * so that all code that was compiled for sockets is thrown away when the first one gets it. Better
   * before there is any than a second after the first users, when it has just become fast.
   */
  #settled = false;
  readonly #tellYoung = (): void => this.#tell();
  #whenEmpty: (() => void) | undefined;

  /** @param idleTimeoutMs ms without traffic after which a member expires; 0 = never */
  constructor(idleTimeoutMs: number) {
    this.setIdleTimeout(idleTimeoutMs);
  }

  /** Counts for what is open, too, from its next sweep on. @param idleTimeoutMs 0 = never */
  setIdleTimeout(idleTimeoutMs: number): void {
    this.#sweepMs =
      idleTimeoutMs === 0 ? 0 : Math.max(MIN_SWEEP_MS, idleTimeoutMs / SWEEPS_PER_TIMEOUT);
    this.#stop();
    if (this.#members.size > 0) this.#start();
  }

  get size(): number {
    return this.#members.size;
  }

  add(member: IdleCheckable): void {
    this.#members.add(member);
    if (member.lasts !== undefined && !this.#settled) {
      this.#settled = true;
      member.lasts();
    } else if (member.lasts !== undefined && this.#young === undefined) {
      // Left alone when all have gone: a timer for each short connection would cost more.
      this.#young = setTimeout(this.#tellYoung, LASTS_MS).unref();
    }
    if (this.#timer === undefined) this.#start();
  }

  /** Tells every member that the tunnel has another rate limit, or none. */
  limitsChanged(): void {
    for (const member of this.#members) member.limitsChanged();
  }

  #start(): void {
    // What is open keeps the process, not the look at it.
    if (this.#sweepMs > 0) this.#timer = setInterval(() => this.#sweep(), this.#sweepMs).unref();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  delete(member: IdleCheckable): void {
    if (this.#members.delete(member) && this.#members.size === 0) this.#whenEmpty?.();
  }

  /** Cuts every member now, for good: the tunnel is over. */
  cutAll(): void {
    this.#stop();
    clearTimeout(this.#young);
    this.#young = undefined;
    for (const member of [...this.#members]) member.cut();
  }

  /** Resolves true when nothing is open any more, false after `timeoutMs`. */
  drained(timeoutMs: number): Promise<boolean> {
    if (this.#members.size === 0) return Promise.resolve(true);
    if (timeoutMs <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#whenEmpty = undefined;
        resolve(false);
      }, timeoutMs);
      this.#whenEmpty = () => {
        clearTimeout(timer);
        this.#whenEmpty = undefined;
        resolve(true);
      };
    });
  }

  #tell(): void {
    this.#young = undefined;
    for (const member of this.#members) member.lasts?.();
  }

  #sweep(): void {
    if (this.#members.size === 0) this.#stop();
    for (const member of this.#members) {
      if (member.active) {
        member.active = false;
        member.idleSweeps = 0;
      } else if (++member.idleSweeps >= SWEEPS_PER_TIMEOUT) {
        member.expire();
      }
    }
  }
}
