import {
  HISTORY_SERIES,
  type HistorySeries,
  type InstanceBan,
  type InstanceHistory,
  type InstanceLogLine,
  type InstanceLogs,
  type InstancePort,
} from "@nodepass/model";
import { count, isRecord, readTraffic, text } from "./remote-instance.ts";

/** Reads the log lines of an instance; what is none is left out. */
export function readLogs(value: Readonly<Record<string, unknown>>): InstanceLogs {
  const lines = Array.isArray(value.lines) ? value.lines : [];
  return {
    lines: lines.filter(isRecord).map(
      ({ time, level, line }): InstanceLogLine => ({
        time: text(time),
        level: level === "debug" || level === "warn" || level === "error" ? level : "info",
        line: text(line),
      }),
    ),
    total: count(value.total),
  };
}

/** Reads the bans of an instance. */
export function readBans(value: Readonly<Record<string, unknown>>): InstanceBan[] {
  const bans = Array.isArray(value.bans) ? value.bans : [];
  return bans.filter(isRecord).map(({ address, until, offences }) => ({
    address: text(address),
    until: text(until),
    offences: count(offences),
  }));
}

/** Reads the counters of a range's ports. */
export function readPorts(value: Readonly<Record<string, unknown>>): InstancePort[] {
  const ports = Array.isArray(value.ports) ? value.ports : [];
  return ports.filter(isRecord).map((port) => ({ port: count(port.port), ...readTraffic(port) }));
}

/** Reads a history; a series that is missing is empty. */
export function readHistory(value: Readonly<Record<string, unknown>>): InstanceHistory {
  const series = HISTORY_SERIES.map((name) => {
    const values = value[name];
    const read = (item: unknown): number | null =>
      typeof item === "number" && Number.isFinite(item) ? item : null;
    return [name, Array.isArray(values) ? values.map(read) : []];
  });
  return {
    step: count(value.step),
    start: text(value.start),
    // The entries are those of the series.
    ...(Object.fromEntries(series) as Record<HistorySeries, (number | null)[]>),
  };
}
