import type { PartReport } from "@nodepass/fleet-protocol";
import { keyOf } from "./part-book.ts";

/** Reports that change within so long are told together, ms. */
const TOLD_TOGETHER_MS = 50;

/** Tells what became of parts: each state once, those of a moment together, of a part the last. */
export class ReportTeller {
  readonly #tell: (reports: readonly PartReport[]) => void;
  readonly #told = new Map<string, string>();
  readonly #untold = new Map<string, PartReport>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(tell: (reports: readonly PartReport[]) => void) {
    this.#tell = tell;
  }

  /** Has a report told, if it is another than the one before. */
  note(report: PartReport): void {
    const key = keyOf(report);
    const text = JSON.stringify(report);
    if (this.#told.get(key) === text || this.#isClosed) return;
    this.#told.set(key, text);
    this.#untold.set(key, report);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const reports = [...this.#untold.values()];
      this.#untold.clear();
      this.#tell(reports);
    }, TOLD_TOGETHER_MS);
  }

  /** Has it told in any case, this time and the next: who waits for it may not have heard it. */
  noteAgain(report: PartReport): void {
    this.#told.delete(keyOf(report));
    this.note(report);
    this.#told.delete(keyOf(report));
  }

  /** Nothing is told any more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}
