import type { CliContext } from "../context.ts";
import type { Style } from "./colour.ts";
import { type DataOptions, printData, printTable, stdoutStyle } from "./print.ts";
import type { TableColumn } from "./table.ts";
import { plainText } from "./terminal-text.ts";

/** A list, for people and for programs. */
export interface Listing<Row> {
  readonly rows: readonly Row[];
  readonly id: (row: Row) => string;
  /** What programs get of a row. */
  readonly data: (row: Row) => unknown;
  readonly columns: (style: Style) => readonly TableColumn<Row>[];
  /** What is said where there are none, a line or several. */
  readonly none: string;
}

/** How a list is printed. */
export interface ListOptions extends DataOptions {
  /** Ids only. */
  readonly quiet?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Prints a list as the options want it. */
export async function printList<Row>(
  context: CliContext,
  { rows, id, data, columns, none }: Listing<Row>,
  options: ListOptions,
): Promise<void> {
  if (options.json === true) {
    await printData(context, rows.map(options.quiet === true ? id : data), options);
  } else if (options.quiet === true) {
    context.stdout.write(rows.map((row) => `${plainText(id(row))}\n`).join(""));
  } else if (rows.length === 0) {
    // On standard error: a script that reads the table finds none in it.
    context.stderr.write(`${none}\n`);
  } else printTable(context, columns(stdoutStyle(context)), rows);
}
