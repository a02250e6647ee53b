// biome-ignore-all lint/a11y/useSemanticElements: laid out as grids, table elements lose their roles
// biome-ignore-all lint/a11y/useFocusableInteractive: a table is read, not focused; its links and boxes are
import { texts } from "../../i18n/index.ts";
import { Icon } from "../../parts/icon.tsx";
import type { Rows } from "../../state/rows.ts";
import {
  isDescending,
  type ListItem,
  type Sort,
  selected,
  shownColumns,
  sort,
  sortBy,
} from "../../state/tunnel-list.ts";

/** The names of the columns; a click sorts by one. */
export function HeadRow({
  rows,
  items,
}: {
  readonly rows: Rows;
  readonly items: readonly ListItem[];
}) {
  const t = texts();
  const ids = items.flatMap((item) => (item.kind === "row" ? [item.row.instance.id] : []));
  const isAll = ids.length > 0 && ids.every((id) => selected.value.has(id));
  return (
    <div class="head" role="rowgroup">
      <div class="row head-row" role="row" aria-rowindex={1}>
        <div role="columnheader" class="cell-check">
          <input
            type="checkbox"
            aria-label={t.tunnels.selectAll}
            checked={isAll}
            disabled={rows.size === 0}
            onChange={() => {
              selected.value = new Set(isAll ? [] : ids);
            }}
          />
        </div>
        <Heading column="name" />
        {shownColumns.value.map((column) => (
          <Heading key={column} column={column} />
        ))}
        <div role="columnheader" class="cell-menu">
          <span class="sr">{t.tunnels.actions}</span>
        </div>
      </div>
    </div>
  );
}

function Heading({ column }: { readonly column: Sort }) {
  const t = texts();
  const isSorted = sort.value === column;
  const order = isDescending.value ? "descending" : "ascending";
  return (
    <div role="columnheader" class={`cell-${column}`} aria-sort={isSorted ? order : "none"}>
      <button
        type="button"
        class={`heading ${isSorted ? order : ""}`}
        onClick={() => sortBy(column)}
      >
        {t.columns[column]}
        {isSorted ? <Icon name="down" size={12} /> : null}
      </button>
    </div>
  );
}
