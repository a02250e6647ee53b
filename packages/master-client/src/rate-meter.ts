/** Bytes a second, or `undefined` while too little is known. */
export interface Rates {
  readonly received: number | undefined;
  readonly sent: number | undefined;
}

/** Turns counters that come now and then into rates. */
export interface RateMeter {
  /** Notes the counters of `id` at `atMs`, a time that only grows. */
  record(id: string, received: number, sent: number, atMs: number): void;
  rates(id: string, nowMs: number): Rates;
  forget(id: string): void;
}

/** How rates are taken. */
export interface RateMeterOptions {
  /** Time that a rate is the mean of, at least, once that much is known. @default 6000 */
  readonly windowMs?: number | undefined;
  /** After this long without counters a rate is not known any more. @default 20000 */
  readonly staleMs?: number | undefined;
}

interface Sample {
  readonly received: number;
  readonly sent: number;
  readonly atMs: number;
}

const unknown: Rates = { received: undefined, sent: undefined };

/**
 * Creates a meter. Masters count anew every few seconds (5 unless told otherwise), so a rate is
 * taken over a little more than that: over less it would jump between nothing and too much.
 *
 * @example
 * const meter = createRateMeter();
 * meter.record(instance.id, instance.tcprx, instance.tcptx, performance.now());
 */
export function createRateMeter(options: RateMeterOptions = {}): RateMeter {
  const { windowMs = 6000, staleMs = 20_000 } = options;
  const all = new Map<string, Sample[]>();
  return {
    record: (id, received, sent, atMs) => {
      const samples = all.get(id) ?? [];
      const last = samples.at(-1);
      // Counters that go back were reset: the old ones say nothing about the new.
      if (last !== undefined && (received < last.received || sent < last.sent)) samples.length = 0;
      samples.push({ received, sent, atMs });
      while (samples.length > 2 && (samples[1]?.atMs ?? atMs) <= atMs - windowMs) samples.shift();
      all.set(id, samples);
    },
    rates: (id, nowMs) => {
      const samples = all.get(id);
      const [first, last] = [samples?.[0], samples?.at(-1)];
      if (first === undefined || last === undefined || last.atMs <= first.atMs) return unknown;
      if (nowMs - last.atMs > staleMs) return unknown;
      const seconds = (last.atMs - first.atMs) / 1000;
      return {
        received: (last.received - first.received) / seconds,
        sent: (last.sent - first.sent) / seconds,
      };
    },
    forget: (id) => {
      all.delete(id);
    },
  };
}
