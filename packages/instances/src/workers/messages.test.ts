import { COUNTER_NAMES, type Counters, countersOf } from "@nodepass/model";
import { expect, it } from "vitest";
import { eachCounters, pushCounters } from "./messages.ts";

it("carries every counter of the table, several tunnels a report", () => {
  const first = countersOf((name) => COUNTER_NAMES.indexOf(name) + 1);
  const second = countersOf((name) => COUNTER_NAMES.indexOf(name) + 100);
  const rows: number[] = [];
  pushCounters(rows, 7, first);
  pushCounters(rows, 8, second);
  const read: [number, Counters][] = [];
  eachCounters(rows, (run, counters) => read.push([run, counters]));
  expect(read).toEqual([
    [7, first],
    [8, second],
  ]);
});

it("overlooks half a row", () => {
  const rows: number[] = [];
  pushCounters(
    rows,
    7,
    countersOf(() => 1),
  );
  rows.pop();
  let visits = 0;
  eachCounters(rows, () => visits++);
  expect(visits).toBe(0);
});
