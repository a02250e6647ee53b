/** Bytes; 0 unknown. */
export interface Memory {
  readonly memTotal: number;
  /** What programs could still get: free, or given up by caches when asked. */
  readonly memFree: number;
  readonly memUsed: number;
  readonly swapTotal: number;
  readonly swapFree: number;
  readonly swapUsed: number;
}

/**
 * Reads `/proc/meminfo`. `memUsed` and `memFree` add up to `memTotal`, likewise for swap.
 *
 * @see proc_meminfo(5)
 */
export function parseMemory(text: string): Memory {
  const values = new Map<string, number>();
  for (const [, name = "", kibibytes] of text.matchAll(/^(\w+): +(\d+) kB$/gm)) {
    values.set(name, Number(kibibytes) * 1024);
  }
  const read = (name: string) => values.get(name) ?? 0;
  const memTotal = read("MemTotal");
  // MemAvailable is missing before Linux 3.14 and in some containers.
  const available =
    values.get("MemAvailable") ?? read("MemFree") + read("Buffers") + read("Cached");
  const memFree = Math.min(available, memTotal);
  const swapTotal = read("SwapTotal");
  const swapFree = Math.min(read("SwapFree"), swapTotal);
  return {
    memTotal,
    memFree,
    memUsed: memTotal - memFree,
    swapTotal,
    swapFree,
    swapUsed: swapTotal - swapFree,
  };
}
