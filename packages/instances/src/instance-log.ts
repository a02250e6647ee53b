import type { InstanceLogLine, InstanceLogs, LogLineLevel, LogQuery } from "@nodepass/model";

/** What is kept of one instance's log: lines at most, and UTF-16 units of all of them together. */
const LOG_LIMITS = { lines: 100, characters: 32_768 } as const;

interface KeptLine {
  readonly time: number;
  readonly level: LogLineLevel;
  readonly line: string;
}

/** The last lines of one instance's log; the oldest give way. */
export class InstanceLog {
  #lines: KeptLine[] = [];
  #characters = 0;
  #total = 0;

  /** @param time milliseconds since 1970 */
  push(time: number, level: LogLineLevel, line: string): void {
    this.#total++;
    this.#lines.push({ time, level, line });
    this.#characters += line.length;
    while (this.#lines.length > LOG_LIMITS.lines || this.#characters > LOG_LIMITS.characters) {
      this.#characters -= this.#lines.shift()?.line.length ?? 0;
    }
  }

  read({ tail = LOG_LIMITS.lines, since = 0 }: LogQuery): InstanceLogs {
    const later = this.#lines.filter(({ time }) => time > since);
    const lines = later.slice(Math.max(0, later.length - tail)).map(
      ({ time, level, line }): InstanceLogLine => ({
        time: new Date(time).toISOString(),
        level,
        line,
      }),
    );
    return { lines, total: this.#total };
  }
}
