import type { Column } from "../../state/tunnel-list.ts";

/** Widths as the grid of a row has them. */
const widths: Readonly<Record<Column, string>> = {
  status: "minmax(104px, 0.8fr)",
  kind: "minmax(84px, 0.6fr)",
  route: "minmax(132px, 1fr)",
  rate: "172px",
  connections: "46px",
  pool: "42px",
  ping: "54px",
  total: "72px",
};

/** The grid of a row with these columns: a box to select, the name, the columns, the menu. */
export function gridOf(columns: readonly Column[]): string {
  return ["28px", "minmax(120px, 1.5fr)", ...columns.map((each) => widths[each]), "64px"].join(" ");
}
