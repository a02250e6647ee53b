import { texts } from "../../i18n/index.ts";
import { Icon } from "../../parts/icon.tsx";
import { SearchField } from "../../parts/search-field.tsx";
import type { Master } from "../../state/master.ts";
import { narrow } from "../../state/screen.ts";
import {
  COLUMNS,
  grouping,
  SORTS,
  search,
  shownColumns,
  sort,
  sortBy,
  tagNames,
  toggleColumn,
} from "../../state/tunnel-list.ts";

/** What is looked for, in which groups, order and columns. */
export function ListTools({ master }: { readonly master: Master }) {
  const t = texts();
  void master.changes.value;
  return (
    <search class="tools">
      <SearchField
        label={t.tunnels.search}
        text={search.value}
        onText={(text) => {
          search.value = text;
        }}
      />
      <label class="inline">
        <span>{t.tunnels.groups}</span>
        <select
          value={grouping.value}
          onChange={({ currentTarget }) => {
            grouping.value = currentTarget.value;
          }}
        >
          <option value="">{t.tunnels.noGroups}</option>
          <option value="status">{t.columns.status}</option>
          <option value="kind">{t.columns.kind}</option>
          {tagNames(master.rows).map((name) => (
            <option key={name} value={`tag:${name}`}>
              {t.tunnels.tag(name)}
            </option>
          ))}
        </select>
      </label>
      {narrow.value ? <SortChoice /> : <ColumnChoice />}
    </search>
  );
}

/** Where no heading can be clicked. */
function SortChoice() {
  const t = texts();
  return (
    <label class="inline">
      <span>{t.tunnels.order}</span>
      <select
        value={sort.value}
        onChange={({ currentTarget }) => {
          const chosen = SORTS.find((each) => each === currentTarget.value);
          if (chosen !== undefined) sortBy(chosen);
        }}
      >
        {SORTS.map((each) => (
          <option key={each} value={each}>
            {t.columns[each]}
          </option>
        ))}
      </select>
    </label>
  );
}

function ColumnChoice() {
  const t = texts();
  return (
    <details class="choice">
      <summary class="button">
        <Icon name="columns" /> {t.tunnels.columns}
      </summary>
      <div class="choice-list">
        {COLUMNS.map((column) => (
          <label key={column} class="check">
            <input
              type="checkbox"
              checked={shownColumns.value.includes(column)}
              onChange={() => toggleColumn(column)}
            />
            <span>{t.columns[column]}</span>
          </label>
        ))}
      </div>
    </details>
  );
}
