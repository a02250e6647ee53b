// biome-ignore-all lint/a11y/useSemanticElements: laid out as grids, table elements lose their roles
// biome-ignore-all lint/a11y/useFocusableInteractive: a table is read, not focused; its links and boxes are
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { texts } from "../../i18n/index.ts";
import { Icon } from "../../parts/icon.tsx";
import { VirtualList } from "../../parts/virtual-list.tsx";
import { narrow, tight } from "../../state/screen.ts";
import { moveFocus } from "../../views/tunnels/move-focus.ts";
import { fleetTexts } from "../i18n/index.ts";

/** A column; on a phone the first four make the card of an item. */
export interface ListColumn<T> {
  readonly name: string;
  readonly title: string;
  /** Width as a grid has it. */
  readonly width: string;
  readonly cell: (item: T) => ComponentChildren;
  /** What it is sorted by. @default it is not */
  readonly sortBy?: (item: T) => string | number;
  /** Left out where there is no room for all. @default false */
  readonly isExtra?: boolean;
}

export interface ListTableProps<T> {
  readonly label: string;
  readonly columns: readonly ListColumn<T>[];
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string;
  readonly menu: (item: T) => ComponentChildren;
}

/** Heights of a line, px; the style sheet has the same. */
const ROW_HEIGHT = 48;
const CARD_HEIGHT = 100;

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** A list of any length, in the order of a column. */
export function ListTable<T>({ label, columns, items, keyOf, menu }: ListTableProps<T>) {
  const t = texts();
  const [sort, setSort] = useState({ name: columns[0]?.name ?? "", isDescending: false });
  const isNarrow = narrow.value;
  const shown = columns.filter(({ isExtra }) => isNarrow || !(tight.value && isExtra === true));
  const sortBy = columns.find(({ name }) => name === sort.name)?.sortBy;
  const sorted = [...items];
  if (sortBy !== undefined) {
    const keyed = new Map(sorted.map((item) => [item, sortBy(item)]));
    sorted.sort((one, other) => {
      const [a = "", b = ""] = [keyed.get(one), keyed.get(other)];
      const order =
        typeof a === "number" && typeof b === "number"
          ? a - b
          : collator.compare(String(a), String(b));
      return sort.isDescending ? -order : order;
    });
  }
  const choose = (name: string): void =>
    setSort((now) => ({ name, isDescending: now.name === name && !now.isDescending }));
  return (
    <>
      {isNarrow ? (
        <label class="inline list-order">
          <span>{fleetTexts().order}</span>
          <select value={sort.name} onChange={({ currentTarget }) => choose(currentTarget.value)}>
            {columns
              .filter((column) => column.sortBy !== undefined)
              .map(({ name, title }) => (
                <option key={name} value={name}>
                  {title}
                </option>
              ))}
          </select>
        </label>
      ) : null}
      <div
        class={`table fleet-table ${isNarrow ? "cards" : ""}`}
        role="table"
        aria-label={label}
        aria-rowcount={items.length + 1}
        style={{ "--grid": [...shown.map(({ width }) => width), "34px"].join(" ") }}
        onKeyDown={moveFocus}
      >
        <div class="head" role="rowgroup">
          <div class="row head-row" role="row" aria-rowindex={1}>
            {shown.map((column) => (
              <Heading key={column.name} column={column} sort={sort} onSort={choose} />
            ))}
            <div role="columnheader">
              <span class="sr">{t.tunnels.actions}</span>
            </div>
          </div>
        </div>
        <VirtualList
          items={sorted}
          rowHeight={isNarrow ? CARD_HEIGHT : ROW_HEIGHT}
          keyOf={keyOf}
          render={(item, index) => (
            <div class="row" role="row" aria-rowindex={index + 2}>
              {shown.map(({ name, cell }) => (
                <div key={name} role="cell" class={`cell-${name}`}>
                  {cell(item)}
                </div>
              ))}
              <div role="cell" class="cell-menu">
                {menu(item)}
              </div>
            </div>
          )}
        />
      </div>
    </>
  );
}

interface HeadingProps<T> {
  readonly column: ListColumn<T>;
  readonly sort: { readonly name: string; readonly isDescending: boolean };
  readonly onSort: (name: string) => void;
}

function Heading<T>({ column: { name, title, sortBy }, sort, onSort }: HeadingProps<T>) {
  if (sortBy === undefined) return <div role="columnheader">{title}</div>;
  const isSorted = sort.name === name;
  const order = sort.isDescending ? "descending" : "ascending";
  return (
    <div role="columnheader" aria-sort={isSorted ? order : "none"}>
      <button type="button" class={`heading ${isSorted ? order : ""}`} onClick={() => onSort(name)}>
        {title}
        {isSorted ? <Icon name="down" size={12} /> : null}
      </button>
    </div>
  );
}
