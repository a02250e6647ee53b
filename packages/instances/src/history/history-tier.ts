import { HISTORY_SERIES, type HistorySeries, type InstanceHistory } from "@nodepass/model";

const WIDTH = HISTORY_SERIES.length;

/** One value for each series. */
export type HistoryPoint = { readonly [Name in HistorySeries]: number };

/**
 * Points of one step length: a ring of `size` steps, each the mean of what was measured in it. It
 * grows as it fills, so that a young instance costs little; NaN where nothing was measured.
 */
export class HistoryTier {
  readonly #stepMs: number;
  readonly #size: number;
  /** Step by step, oldest first; the last one is that of `#last`. */
  #values: Float32Array<ArrayBuffer> = new Float32Array(0);
  #length = 0;
  /** Number of the last step: its beginning is that times the length of a step. */
  #last = 0;
  /** What has been measured in the last step. */
  #samples = 0;

  constructor(stepSeconds: number, size: number) {
    this.#stepMs = stepSeconds * 1000;
    this.#size = size;
  }

  /** @param time milliseconds since 1970 */
  add(time: number, point: HistoryPoint): void {
    const step = Math.floor(time / this.#stepMs);
    if (this.#length === 0) this.#append(step);
    // A clock that was set back: the newest step takes it.
    else if (step > this.#last) this.#append(step);
    this.#samples++;
    const at = (this.#length - 1) * WIDTH;
    for (const [column, name] of HISTORY_SERIES.entries()) {
      const before = this.#values[at + column] ?? Number.NaN;
      const value = Number.isFinite(point[name]) ? point[name] : 0;
      this.#values[at + column] =
        this.#samples === 1 || Number.isNaN(before)
          ? value
          : before + (value - before) / this.#samples;
    }
  }

  /** The steps up to `time`, those without a measurement as null. */
  read(time: number): InstanceHistory {
    const now = Math.max(this.#last, Math.floor(time / this.#stepMs));
    const oldest = Math.max(this.#last - this.#length + 1, now - this.#size + 1);
    const first = this.#length === 0 ? now + 1 : Math.min(oldest, now);
    const column = (index: number): (number | null)[] =>
      Array.from({ length: now - first + 1 }, (_, offset) => {
        const row = first + offset - (this.#last - this.#length + 1);
        const value = row < this.#length ? this.#values[row * WIDTH + index] : undefined;
        return value === undefined || Number.isNaN(value) ? null : Math.round(value);
      });
    const series = Object.fromEntries(HISTORY_SERIES.map((name, index) => [name, column(index)]));
    return {
      step: this.#stepMs / 1000,
      start: new Date(first * this.#stepMs).toISOString(),
      // The entries are those of the series.
      ...(series as Record<HistorySeries, (number | null)[]>),
    };
  }

  /** `last` f64, `length` u32, then the values f32, all little-endian. */
  encode(): Uint8Array {
    const bytes = new Uint8Array(12 + this.#length * WIDTH * 4);
    const view = new DataView(bytes.buffer);
    view.setFloat64(0, this.#last, true);
    view.setUint32(8, this.#length, true);
    for (let index = 0; index < this.#length * WIDTH; index++) {
      view.setFloat32(12 + index * 4, this.#values[index] ?? Number.NaN, true);
    }
    return bytes;
  }

  /**
   * Takes over what `encode` wrote.
   *
   * @returns the bytes that follow it; `undefined` if these are none of ours
   */
  decode(bytes: Uint8Array): Uint8Array | undefined {
    if (bytes.byteLength < 12) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const [last, length] = [view.getFloat64(0, true), view.getUint32(8, true)];
    const end = 12 + length * WIDTH * 4;
    if (!Number.isSafeInteger(last) || length > this.#size || bytes.byteLength < end) {
      return undefined;
    }
    this.#values = new Float32Array(length * WIDTH);
    for (let index = 0; index < this.#values.length; index++) {
      this.#values[index] = view.getFloat32(12 + index * 4, true);
    }
    [this.#last, this.#length, this.#samples] = [last, length, 1];
    return bytes.subarray(end);
  }

  /** Makes room for the steps from the last one to `step`; the oldest give way. */
  #append(step: number): void {
    const skipped = this.#length === 0 ? 0 : Math.min(step - this.#last - 1, this.#size);
    const wanted = this.#length + skipped + 1;
    const dropped = Math.min(this.#length, Math.max(0, wanted - this.#size));
    const kept = this.#length - dropped;
    const length = Math.min(wanted, this.#size);
    let values = this.#values;
    if (length * WIDTH > values.length) {
      values = new Float32Array(Math.min(this.#size, Math.max(16, length * 2)) * WIDTH);
    }
    values.set(this.#values.subarray(dropped * WIDTH, this.#length * WIDTH), 0);
    values.fill(Number.NaN, kept * WIDTH, length * WIDTH);
    this.#values = values;
    this.#length = length;
    this.#last = step;
    this.#samples = 0;
  }
}
