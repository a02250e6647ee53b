/** Time as the API sees it; tests give their own. */
export interface Clock {
  /** Milliseconds since 1970: for what people read. */
  now(): number;
  /** Milliseconds since some moment, never set back: for everything that is measured or awaited. */
  monotonic(): number;
  /** Calls `callback` once, `delayMs` from now. @returns a function that cancels it */
  after(delayMs: number, callback: () => void): () => void;
}

/** The system's clock; its timers keep no process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
