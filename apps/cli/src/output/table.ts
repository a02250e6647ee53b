import { stripVTControlCharacters } from "node:util";
import Table from "cli-table3";

/** One column of a table. */
export interface TableColumn<Row> {
  readonly title: string;
  /** The text of a cell; may be coloured, must not hold anything else that terminals act on. */
  readonly cell: (row: Row) => string;
  /** @default "left" */
  readonly align?: "left" | "right" | undefined;
  /** Left out where the table is too wide; the least number first. Without it, it always stays. */
  readonly dropOrder?: number | undefined;
  /** Left out if all cells hold this, styles aside. */
  readonly hideIfEmpty?: string | undefined;
}

/** How a table is written. */
export interface TableOptions {
  /** Width of the terminal: the last column is cut to fit. Nothing is cut without. */
  readonly width?: number | undefined;
  /** Changes the titles' looks. */
  readonly styleTitle?: ((title: string) => string) | undefined;
}

const narrowestLastColumn = 8;

const noBorder = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

/** Writes rows as columns, titles first, one line each, without a final line feed. */
export function formatTable<Row>(
  allColumns: readonly TableColumn<Row>[],
  rows: readonly Row[],
  options: TableOptions = {},
): string {
  const { width, styleTitle = (title: string) => title } = options;
  const columns = chooseColumns(allColumns, rows, width);
  const lines = [
    columns.map(({ title }) => styleTitle(title)),
    ...rows.map((row) => columns.map(({ cell }) => cell(row))),
  ];
  const aligns = columns.map(({ align = "left" }) => align);
  const lastWidth = width === undefined ? undefined : findLastWidth(lines, aligns, width);
  const table = createTable(aligns, lastWidth);
  table.push(...lines);
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** The columns that have something to say and fit. */
function chooseColumns<Row>(
  all: readonly TableColumn<Row>[],
  rows: readonly Row[],
  width = Number.POSITIVE_INFINITY,
): readonly TableColumn<Row>[] {
  const widthOf = (column: TableColumn<Row>) => {
    const one = createTable(["left"]);
    one.push([column.title], ...rows.map((row) => [column.cell(row)]));
    return one.width;
  };
  const textOf = ({ cell }: TableColumn<Row>, row: Row) => stripVTControlCharacters(cell(row));
  let columns = all.filter(
    (column) =>
      column.hideIfEmpty === undefined ||
      rows.some((row) => textOf(column, row) !== column.hideIfEmpty),
  );
  const widths = new Map(columns.map((column) => [column, widthOf(column)]));
  // The last column is cut before another goes, down to its least.
  const needed = () =>
    columns.reduce((sum, column, index) => {
      const own = widths.get(column) ?? 0;
      const least = index === columns.length - 1 ? Math.min(own, narrowestLastColumn) : own;
      return sum + least + (index === 0 ? 0 : 2);
    }, 0);
  const candidates = columns
    .filter(({ dropOrder }) => dropOrder !== undefined)
    .sort((one, other) => (one.dropOrder ?? 0) - (other.dropOrder ?? 0));
  for (const candidate of candidates) {
    if (needed() <= width) break;
    columns = columns.filter((column) => column !== candidate);
  }
  return columns;
}

/** The room for the last column, if it needs more than there is. */
function findLastWidth(
  lines: readonly string[][],
  aligns: readonly ("left" | "right")[],
  width: number,
): number | undefined {
  const whole = createTable(aligns);
  whole.push(...lines.map((line) => [...line]));
  if (whole.width <= width || aligns.length < 2) return undefined;
  const rest = createTable(aligns.slice(0, -1));
  rest.push(...lines.map((line) => line.slice(0, -1)));
  // Two for the gap before the last column.
  return Math.max(narrowestLastColumn, width - rest.width - 2);
}

function createTable(aligns: readonly ("left" | "right")[], lastWidth?: number) {
  const colWidths = aligns.map((_align, index) =>
    index === aligns.length - 1 && lastWidth !== undefined ? lastWidth : null,
  );
  return new Table({
    chars: noBorder,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
    colAligns: [...aligns],
    colWidths,
    truncate: "…",
  });
}
