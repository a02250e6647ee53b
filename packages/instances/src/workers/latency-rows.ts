import { LATENCY_NAMES, type Latencies, latenciesOf } from "@nodepass/model";
import { LATENCY_BOUNDS_MS } from "@nodepass/tunnel-core";

// What tunnels have measured, as it goes between threads: a row of numbers for each, its run first, then
// for each time of the model's table its buckets and its sum, ms.

const BUCKETS = LATENCY_BOUNDS_MS.length + 1;
const COLUMNS = 1 + LATENCY_NAMES.length * (BUCKETS + 1);

/** All of several tunnels together. */
export function sumLatencies(parts: readonly Latencies[]): Latencies {
  return latenciesOf((name) => ({
    boundsMs: LATENCY_BOUNDS_MS,
    counts: Array.from({ length: BUCKETS }, (_, at) =>
      parts.reduce((sum, part) => sum + (part[name].counts[at] ?? 0), 0),
    ),
    sumMs: parts.reduce((sum, part) => sum + part[name].sumMs, 0),
  }));
}

/** Adds a row for a run that has measured anything. */
export function pushLatencies(rows: number[], run: number, latencies: Latencies): void {
  const isEmpty = LATENCY_NAMES.every((name) => latencies[name].counts.every((n) => n === 0));
  if (isEmpty) return;
  rows.push(run);
  for (const name of LATENCY_NAMES) rows.push(...latencies[name].counts, latencies[name].sumMs);
}

/** Reads the rows of a report. */
export function eachLatencies(
  rows: readonly number[],
  visit: (run: number, latencies: Latencies) => void,
): void {
  for (let at = 0; at + COLUMNS <= rows.length; at += COLUMNS) {
    let column = at + 1;
    visit(
      rows[at] ?? 0,
      latenciesOf(() => {
        const counts = rows.slice(column, column + BUCKETS);
        const sumMs = rows[column + BUCKETS] ?? 0;
        column += BUCKETS + 1;
        return { boundsMs: LATENCY_BOUNDS_MS, counts, sumMs };
      }),
    );
  }
}
