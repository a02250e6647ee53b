import { useState } from "preact/hooks";
import { texts } from "../../i18n/index.ts";
import { SearchField } from "../../parts/search-field.tsx";
import { findWords } from "../../state/find-words.ts";
import type { Fleet } from "../state/fleet.ts";
import { ListTable, type ListTableProps } from "./list-table.tsx";

export interface SearchedListProps<T> extends ListTableProps<T> {
  readonly fleet: Fleet;
  /** What an item is found by. */
  readonly textOf: (item: T) => string;
  readonly words: { readonly search: string; readonly none: string; readonly noneFound: string };
}

/** All of a kind, and a field to find some of them. */
export function SearchedList<T>({ fleet, textOf, words, ...table }: SearchedListProps<T>) {
  const [query, setQuery] = useState("");
  const { items } = table;
  const found = findWords(items, query, textOf);
  const none = fleet.isLoaded.value ? words.none : texts().loading;
  return (
    <>
      <search class="tools">
        <SearchField label={words.search} text={query} onText={setQuery} />
      </search>
      {found.length === 0 ? (
        <p class="empty">{items.length > 0 ? words.noneFound : none}</p>
      ) : (
        <ListTable {...table} items={found} />
      )}
    </>
  );
}
