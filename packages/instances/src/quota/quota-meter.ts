import type { InstanceQuota, QuotaRecord } from "@nodepass/model";
import { formatQuota, type Quota } from "@nodepass/url-config";
import { quotaPeriod } from "./quota-period.ts";

/** Shares of the quota that are told of, %. */
const WARNINGS = [80, 95] as const;
/** Node's timers hold no more, ms. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** What a meter tells. */
export interface QuotaHooks {
  /** So much is used, % of the quota. */
  onWarning(percent: number): void;
  /** All is used: the instance is to stop. */
  onUsedUp(reason: string): void;
  /** A new period begins. @param wasUsedUp whether it had stopped */
  onReset(wasUsedUp: boolean): void;
}

/**
 * Counts an instance's traffic against its quota, over restarts: what is used in the present period
 * is in its record.
 */
export class QuotaMeter {
  readonly #hooks: QuotaHooks;
  readonly #now: () => number;
  #quota: Quota;
  #resetDay: number;
  #record: QuotaRecord;
  #timer: NodeJS.Timeout | undefined;

  /** @param record as it was saved; `undefined` for a new one */
  constructor(
    settings: { readonly quota: Quota; readonly quotaDay: number },
    record: QuotaRecord | undefined,
    hooks: QuotaHooks,
    now: () => number,
  ) {
    this.#quota = settings.quota;
    this.#resetDay = settings.quotaDay;
    this.#hooks = hooks;
    this.#now = now;
    const { start } = this.#period();
    // One of a period that is over begins anew without a word: nobody has been stopped by it here.
    const isOver = record === undefined || record.start < start;
    this.#record = isOver ? { start, used: 0, warned: 0 } : record;
  }

  /** To be saved. */
  get record(): QuotaRecord {
    return this.#record;
  }

  /** Another quota: what has been used in the period stays used. */
  change(settings: { readonly quota: Quota; readonly quotaDay: number }): void {
    this.#quota = settings.quota;
    this.#resetDay = settings.quotaDay;
    // What was told is told again where the new quota is that far used up, too.
    this.#record.warned = 0;
    this.#roll();
  }

  /** What the API shows. */
  get view(): InstanceQuota {
    const { end } = this.#period();
    return {
      limit: this.#quota.bytes,
      used: this.#record.used,
      resets: end === undefined ? null : new Date(end).toISOString(),
    };
  }

  /** Why nothing is let through any more; `undefined` while there is something left. */
  get usedUp(): string | undefined {
    if (this.#record.used < this.#quota.bytes) return undefined;
    const { end } = this.#period();
    const until = end === undefined ? "" : `, it begins anew at ${new Date(end).toISOString()}`;
    return `quota of ${formatQuota(this.#quota)} is used up${until}`;
  }

  /** So many bytes have been carried. */
  add(bytes: number): void {
    this.#roll();
    const record = this.#record;
    record.used += bytes;
    this.#look();
  }

  /** Tells what there is to tell of what is used. */
  #look(): void {
    const record = this.#record;
    const percent = (record.used / this.#quota.bytes) * 100;
    for (const warning of WARNINGS) {
      if (percent < warning || record.warned >= warning) continue;
      record.warned = warning;
      this.#hooks.onWarning(warning);
    }
    if (percent < 100 || record.warned >= 100) return;
    record.warned = 100;
    this.#hooks.onUsedUp(this.usedUp ?? "quota is used up");
  }

  /** Waits for the next period; to be called while the instance is to run. */
  begin(): void {
    this.#roll();
    this.#look();
    this.#arm();
  }

  /** Nobody waits for the next period. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const { end } = this.#period();
    if (end === undefined) return;
    const wait = Math.min(LONGEST_TIMER_MS, Math.max(1, end - this.#now()));
    this.#timer = setTimeout(() => {
      this.#roll();
      this.#arm();
    }, wait).unref();
  }

  #period() {
    return quotaPeriod(this.#quota.period, this.#resetDay, this.#now());
  }

  /** Begins a new period if it is one. */
  #roll(): void {
    const { start } = this.#period();
    // A clock that was set back does not give anything back.
    if (start <= this.#record.start) return;
    const wasUsedUp = this.#record.warned >= 100;
    // Its owner has the object to save.
    Object.assign(this.#record, { start, used: 0, warned: 0 });
    this.#hooks.onReset(wasUsedUp);
  }
}
