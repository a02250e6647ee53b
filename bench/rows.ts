/** A line of the tables: one figure of one phase. */
export interface Row {
  readonly label: string;
  readonly phase: string;
  readonly figure: string;
  readonly better: "higher" | "lower";
  readonly digits: number;
}

/** The figures that say what a kind of phase is about; the JSON file has all. */
const SPEED: readonly [kind: RegExp, figure: string, unit: string, better: Row["better"]][] = [
  [/^(up|down|bidi)\d/, "megabytesPerSecond", "MB/s", "higher"],
  [/^(rr|crr)\d/, "perSecond", "per s", "higher"],
  [/^burst\d/, "ms", "ms", "lower"],
  [/^udp\d/, "perSecond", "answers per s", "higher"],
];

const LATENCY: readonly [phase: string, figure: string, label: string][] = [
  ["rr1", "p50Us", "rr1 median µs"],
  ["rr1", "p99Us", "rr1 p99 µs"],
  ["rr64", "p99Us", "rr64 p99 µs"],
  ["crr1", "p50Us", "crr1 median µs"],
  ["crr1", "p99Us", "crr1 p99 µs"],
  ["crr16", "p99Us", "crr16 p99 µs"],
];

const COST: readonly [phase: string, figure: string, label: string, digits: number][] = [
  ["down1", "cpuSecondsPerGigabyte", "down1 CPU s per GB", 2],
  ["up8", "cpuSecondsPerGigabyte", "up8 CPU s per GB", 2],
  ["rr1", "cpuUsEach", "rr1 CPU µs each", 0],
  ["rr64", "cpuUsEach", "rr64 CPU µs each", 0],
  ["crr1", "cpuUsEach", "crr1 CPU µs per connection", 0],
  ["crr16", "cpuUsEach", "crr16 CPU µs per connection", 0],
  ["udp1", "cpuUsEach", "udp1 CPU µs each", 0],
  ["udp64", "cpuUsEach", "udp64 CPU µs each", 0],
  ["start", "restMB", "memory at the start, MB", 1],
  ["idle1000", "kilobytesPerConnection", "KB per idle connection", 1],
  ["idle1000", "memoryMB", "memory with 1000 idle, MB", 1],
  ["idle1000", "cpuPercent", "CPU % of 1000 idle", 1],
  ["instances200", "kilobytesPerInstance", "KB per idle instance", 1],
  ["instances200", "proportionalMB", "memory of 200 idle instances, MB", 1],
  ["instances200", "cpuPercent", "CPU % of 200 idle instances", 2],
];

export function speedRows(phases: readonly string[]): readonly Row[] {
  return phases.flatMap((phase) => {
    const found = SPEED.find(([kind]) => kind.test(phase));
    if (found === undefined) return [];
    const [, figure, unit, better] = found;
    return [{ label: `${phase} ${unit}`, phase, figure, better, digits: 0 }];
  });
}

export function latencyRows(phases: readonly string[]): readonly Row[] {
  return LATENCY.filter(([phase]) => phases.includes(phase)).map(([phase, figure, label]) => ({
    ...{ label, phase, figure, better: "lower" as const },
    digits: 0,
  }));
}

export function costRows(phases: readonly string[]): readonly Row[] {
  return COST.filter(([phase]) => phase === "start" || phases.includes(phase)).map(
    ([phase, figure, label, digits]) => ({ label, phase, figure, better: "lower", digits }),
  );
}

/** Phases that count what came through whole. */
export function correctnessPhases(phases: readonly string[]): readonly string[] {
  return phases.filter((phase) => ["halfclose", "integrity", "udpsize"].includes(phase));
}
