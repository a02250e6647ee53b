import { load } from "./processes.ts";

/** One pass mark of section 13 of the fleet's design, and what was measured. */
export interface Mark {
  readonly what: string;
  readonly mark: string;
  readonly figure: string;
  readonly passed: boolean;
}

/** What a trial found. */
export interface Found {
  readonly trial: string;
  readonly marks: Mark[];
  /** The machine's load at its end: others may be at work on it. */
  readonly load: number;
}

/** Collects marks. */
export class Marks {
  readonly #trial: string;
  readonly #marks: Mark[] = [];

  constructor(trial: string) {
    this.#trial = trial;
  }

  /** A figure that must be below a mark. */
  below(what: string, figure: number, mark: number, unit: string): void {
    this.#marks.push({
      what,
      mark: `< ${mark} ${unit}`,
      figure: `${round(figure)} ${unit}`,
      passed: figure < mark,
    });
  }

  /** What must be exactly so. */
  is(what: string, figure: number | string, mark: number | string): void {
    this.#marks.push({ what, mark: String(mark), figure: String(figure), passed: figure === mark });
  }

  /** A figure without a mark. */
  note(what: string, figure: string): void {
    this.#marks.push({ what, mark: "", figure, passed: true });
  }

  found(): Found {
    return { trial: this.#trial, marks: this.#marks, load: load() };
  }
}

/** @param at 0 to 1 */
export function percentile(values: readonly number[], at: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? Number.NaN;
}

export const round = (value: number): number =>
  Number(value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0));

/** The machine's monotonic clock, the same in all of its processes, ms. */
export const monotonic = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;
