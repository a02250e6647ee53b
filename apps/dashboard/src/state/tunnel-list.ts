import { nameInstance } from "@nodepass/master-client";
import { computed, signal } from "@preact/signals";
import { findWords } from "./find-words.ts";
import { flowOf, routeOf } from "./flow.ts";
import { isOneOf, isTextList, preference } from "./preferences.ts";
import type { Row, Rows } from "./rows.ts";
import { tight } from "./screen.ts";
import { CONDITIONS, conditionOf } from "./status.ts";

/** Columns that can be left out; the name is always there. */
export const COLUMNS = [
  "status",
  "kind",
  "route",
  "rate",
  "connections",
  "pool",
  "ping",
  "total",
] as const;

export type Column = (typeof COLUMNS)[number];

/** What rows can be in the order of. */
export const SORTS = ["name", ...COLUMNS] as const;

export type Sort = (typeof SORTS)[number];

/** One line of the list. */
export type ListItem =
  | { readonly kind: "row"; readonly row: Row }
  | { readonly kind: "group"; readonly name: string; readonly count: number };

export const search = signal("");
export const selected = signal<ReadonlySet<string>>(new Set());
/** `` for no groups, `status`, `kind`, or `tag:` and the name of a tag. */
export const grouping = preference("grouping", "", (value) => typeof value === "string");
export const sort = preference<Sort>("sort", "name", isOneOf(SORTS));
export const isDescending = preference("descending", false, (value) => typeof value === "boolean");
const hiddenColumns = preference<readonly string[]>("hidden-columns", ["kind"], isTextList);

/** Left out where there is no room for all. */
const LESS: readonly Column[] = ["kind", "pool", "total"];

/** The columns that are shown, in order. */
export const shownColumns = computed(() =>
  COLUMNS.filter(
    (column) => !hiddenColumns.value.includes(column) && !(tight.value && LESS.includes(column)),
  ),
);

/** Shows a column, or hides it. */
export function toggleColumn(column: Column): void {
  const hidden = hiddenColumns.peek();
  hiddenColumns.value = hidden.includes(column)
    ? hidden.filter((each) => each !== column)
    : [...hidden, column];
}

/** Sorts by a column; a second time turns the order round. */
export function sortBy(column: Sort): void {
  // Of numbers, the large ones are what people look for.
  if (sort.peek() !== column)
    isDescending.value = !["name", "status", "kind", "route"].includes(column);
  else isDescending.value = !isDescending.peek();
  sort.value = column;
}

/** Selects an instance, or does not any more. */
export function toggleSelected(id: string): void {
  const now = new Set(selected.peek());
  if (!now.delete(id)) now.add(id);
  selected.value = now;
}

/** What is searched of an instance. */
function searchText({ instance }: Row): string {
  const { id, alias, url, tags, type, status, reason, peer } = instance;
  // Not the key: it is no name of anything.
  const shown = url.replace(/\/\/[^/?]*@/, "//");
  const pairs = Object.entries(tags).map(([name, value]) => `${name}=${value}`);
  return [id, alias, shown, type, status, reason, peer.alias, ...pairs].join("\n");
}

/** What a row is sorted by in a column. */
function sortValue({ instance, received, sent }: Row, by: Sort): string | number {
  switch (by) {
    case "name":
      return instance.alias || instance.id;
    case "status":
      return CONDITIONS.indexOf(conditionOf(instance));
    case "kind":
      return `${flowOf(instance)?.kind}`;
    case "route": {
      const flow = flowOf(instance);
      return flow === undefined ? instance.url : routeOf(flow).join(" ");
    }
    case "rate":
      return (received ?? 0) + (sent ?? 0);
    case "connections":
      return instance.tcps + instance.udps;
    case "pool":
      return instance.pool;
    case "ping":
      return instance.ping;
    case "total":
      return instance.tcprx + instance.tcptx + instance.udprx + instance.udptx;
  }
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** Sorts in place; rows that are the same in it go by name. */
function sortRows(rows: Row[], by: Sort, descending: boolean): Row[] {
  const keyed = rows.map((row) => ({
    row,
    value: sortValue(row, by),
    name: nameInstance(row.instance),
  }));
  keyed.sort((one, other) => {
    const order =
      typeof one.value === "number" && typeof other.value === "number"
        ? one.value - other.value
        : collator.compare(String(one.value), String(other.value));
    if (order !== 0) return descending ? -order : order;
    return collator.compare(one.name, other.name);
  });
  return keyed.map(({ row }) => row);
}

/** The group of a row; empty for one that is in none. */
function groupOf({ instance }: Row, by: string): string {
  if (by === "status") return conditionOf(instance);
  if (by === "kind") return flowOf(instance)?.kind ?? "";
  return instance.tags[by.slice("tag:".length)] ?? "";
}

/** The lines of the list: rows, under a heading for each group if there are groups. */
export function listItems(rows: Rows): ListItem[] {
  const found = sortRows(
    findWords(rows.list(), search.value, searchText),
    sort.value,
    isDescending.value,
  );
  const by = grouping.value;
  if (by === "") return found.map((row) => ({ kind: "row", row }));
  const groups = Map.groupBy(found, (row) => groupOf(row, by));
  const names = [...groups.keys()].sort((one, other) =>
    one === "" || other === "" ? other.length - one.length : collator.compare(one, other),
  );
  return names.flatMap((name): ListItem[] => {
    const members = groups.get(name) ?? [];
    return [
      { kind: "group", name, count: members.length },
      ...members.map((row): ListItem => ({ kind: "row", row })),
    ];
  });
}

/** Names of the tags that instances have. */
export function tagNames(rows: Rows): string[] {
  const names = new Set(rows.list().flatMap(({ instance }) => Object.keys(instance.tags)));
  return [...names].filter((name) => !name.startsWith("nodepass.")).sort(collator.compare);
}
