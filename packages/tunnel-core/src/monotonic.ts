/**
 * Time that only goes forward, ms since some moment: the same for all threads of this process, which
 * `performance.now()` is not (each thread has its own beginning). It stands still while the
 * machine sleeps, and goes on while the process is stopped.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
