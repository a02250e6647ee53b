import type { LogFields, LogRecord } from "../tunnel-reports.ts";

type Log = (level: LogRecord["level"], message: string, fields?: LogFields) => void;

/** How many records of one text are let through in a window, and its length, ms. */
interface Pace {
  readonly records: number;
  readonly windowMs: number;
}

const LIMITED: Pace = { records: 3, windowMs: 10_000 };
/** For what goes on for hours: who comes every few seconds does not fill a log. */
const RARE: Pace = { records: 1, windowMs: 60_000 };
/** Texts told apart; the oldest is forgotten first. */
const MAX_TEXTS = 64;

interface Window {
  startedAt: number;
  passed: number;
  suppressed: number;
}

/** Lets a few records of each text through in each window and says how many it held back. */
export class LogLimiter {
  readonly #log: Log;
  readonly #windows = new Map<string, Window>();

  constructor(log: Log) {
    this.#log = log;
  }

  log(level: LogRecord["level"], message: string, fields?: LogFields): void {
    this.#pass(LIMITED, level, message, fields);
  }

  logRarely(level: LogRecord["level"], message: string, fields?: LogFields): void {
    this.#pass(RARE, level, message, fields);
  }

  #pass(
    { records, windowMs }: Pace,
    level: LogRecord["level"],
    message: string,
    fields: LogFields | undefined,
  ): void {
    const now = performance.now();
    let window = this.#windows.get(message);
    if (window === undefined) {
      window = { startedAt: now, passed: 0, suppressed: 0 };
      for (const oldest of this.#windows.keys()) {
        if (this.#windows.size < MAX_TEXTS) break;
        this.#windows.delete(oldest);
      }
      this.#windows.set(message, window);
    } else if (now - window.startedAt >= windowMs) {
      const { suppressed } = window;
      window.startedAt = now;
      window.passed = 0;
      window.suppressed = 0;
      if (suppressed > 0) fields = { ...fields, suppressed };
    }
    if (window.passed >= records) {
      window.suppressed++;
      return;
    }
    window.passed++;
    this.#log(level, message, fields);
  }
}
