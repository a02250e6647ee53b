/** Ticks of all cores together since boot. */
export interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

/**
 * Reads the first line of `/proc/stat`: `cpu  user nice system idle iowait irq softirq steal …`.
 *
 * Waiting for a disk counts as idle. The two guest columns that follow are part of user and nice.
 *
 * @returns `undefined` if the text is not as expected
 * @see proc_stat(5)
 */
export function parseCpuTimes(text: string): CpuTimes | undefined {
  const line = /^cpu +(\d[\d ]*)$/m.exec(text)?.[1];
  const columns = line?.trim().split(/ +/).map(Number).slice(0, 8) ?? [];
  const [, , , idle, wait = 0] = columns;
  if (idle === undefined) return undefined;
  const total = columns.reduce((sum, ticks) => sum + ticks, 0);
  return { busy: total - idle - wait, total };
}

/**
 * Use of the processor between two moments, 0 to 100 per cent of all cores, rounded.
 *
 * @returns `undefined` if no time has passed between them
 */
export function cpuPercent(before: CpuTimes, after: CpuTimes): number | undefined {
  const total = after.total - before.total;
  if (total <= 0) return undefined;
  // Columns may run backwards by a tick (iowait does, as the manual warns).
  const busy = Math.min(Math.max(after.busy - before.busy, 0), total);
  return Math.round((100 * busy) / total);
}
