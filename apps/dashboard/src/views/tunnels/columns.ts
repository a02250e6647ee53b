import type { Column } from "../../state/tunnel-list.ts";

/** Widths as the grid of a row has them. */
const widths: Readonly<Record<Column, string>> = {
  status: "minmax(112px, 0.8fr)",
  kind: "minmax(84px, 0.6fr)",
  route: "minmax(180px, 1.6fr)",
  rate: "minmax(196px, 1fr)",
  connections: "64px",
  pool: "52px",
  ping: "64px",
  total: "minmax(104px, 0.6fr)",
};

/** The grid of a row with these columns: a box to select, the name, the columns, the menu. */
export function gridOf(columns: readonly Column[]): string {
  return ["28px", "minmax(140px, 1.3fr)", ...columns.map((each) => widths[each]), "68px"].join(" ");
}
