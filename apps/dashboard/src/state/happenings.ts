import { type Signal, signal } from "@preact/signals";
import { nameOf } from "./actions.ts";
import type { Master } from "./master.ts";
import { conditionOf } from "./status.ts";

/** Something that a master told. */
export interface Happening {
  readonly number: number;
  readonly time: Date;
  readonly type: "create" | "update" | "delete" | "shutdown";
  readonly name: string;
  /** How the instance is since then; empty for `shutdown`. */
  readonly condition: ReturnType<typeof conditionOf> | undefined;
  readonly reason: string;
}

const MOST = 200;
const lists = new WeakMap<Master, Signal<readonly Happening[]>>();

/** What happened at a master since this was first asked: changes, not counters. */
export function happeningsOf(master: Master): Signal<readonly Happening[]> {
  const known = lists.get(master);
  if (known !== undefined) return known;
  const list = signal<readonly Happening[]>([]);
  lists.set(master, list);
  const last = new Map<string, string>();
  let number = 0;
  master.listen(({ type, time, instance }) => {
    if (type === "log") return;
    const condition = instance === undefined ? undefined : conditionOf(instance);
    if (instance !== undefined) {
      const state = `${condition} ${instance.reason} ${instance.url}`;
      const isSame = last.get(instance.id) === state;
      if (type === "delete") last.delete(instance.id);
      else last.set(instance.id, state);
      // Most updates bring counters; what a stream begins with is no news.
      if ((type === "update" && isSame) || type === "initial") return;
    }
    if (type !== "create" && type !== "update" && type !== "delete" && type !== "shutdown") return;
    number += 1;
    const happened: Happening = {
      number,
      time: new Date(time),
      type,
      name: instance === undefined ? "" : nameOf(instance),
      condition,
      reason: instance?.reason ?? "",
    };
    list.value = [happened, ...list.peek().slice(0, MOST - 1)];
  });
  return list;
}
