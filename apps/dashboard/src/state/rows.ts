import { createRateMeter, type RemoteInstance } from "@nodepass/master-client";

/** How many rates a row's sparkline shows. */
const SPARK_POINTS = 40;
/** Two states within this time tell of a change of state, not of traffic, ms. */
const LEAST_SPACING_MS = 2500;

/** An instance, and what of it was seen over time. */
export interface Row {
  readonly instance: RemoteInstance;
  /** Bytes/s from and to users or targets; `undefined` while not known. */
  readonly received: number | undefined;
  readonly sent: number | undefined;
  /** Rates of both ways together, oldest first, bytes/s. */
  readonly spark: readonly number[];
}

/** Every instance of a master with its rates. */
export class Rows {
  readonly #rows = new Map<string, Row>();
  readonly #meter = createRateMeter();
  readonly #sparkAt = new Map<string, number>();

  get(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  get size(): number {
    return this.#rows.size;
  }

  list(): Row[] {
    return [...this.#rows.values()];
  }

  /** @param now milliseconds, of a clock that only goes forward */
  put(instance: RemoteInstance, now: number): void {
    const { id } = instance;
    const before = this.#rows.get(id);
    this.#meter.record(id, instance.tcprx + instance.udprx, instance.tcptx + instance.udptx, now);
    const isRunning = instance.status === "running";
    const { received, sent } = isRunning
      ? this.#meter.rates(id, now)
      : { received: undefined, sent: undefined };
    this.#rows.set(id, {
      instance,
      received,
      sent,
      spark: this.#spark(before, received, sent, now),
    });
  }

  remove(id: string): void {
    this.#rows.delete(id);
    this.#meter.forget(id);
    this.#sparkAt.delete(id);
  }

  #spark(
    before: Row | undefined,
    received: number | undefined,
    sent: number | undefined,
    now: number,
  ): readonly number[] {
    const spark = before?.spark ?? [];
    const id = before?.instance.id;
    if (id === undefined || now - (this.#sparkAt.get(id) ?? -LEAST_SPACING_MS) < LEAST_SPACING_MS) {
      return spark;
    }
    this.#sparkAt.set(id, now);
    return [...spark.slice(1 - SPARK_POINTS), (received ?? 0) + (sent ?? 0)];
  }
}
