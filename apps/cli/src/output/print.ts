import type { CliContext } from "../context.ts";
import { createStyle, hasColour, type Style } from "./colour.ts";
import { formatTable, type TableColumn } from "./table.ts";

/** The style for standard output. */
export function stdoutStyle({ stdout, environment }: CliContext): Style {
  return createStyle(hasColour(stdout, environment));
}

/** Prints a value as JSON, in a form that people can read too. */
export function printJson({ stdout }: CliContext, value: unknown): void {
  stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Prints a value as one line of JSON. */
export function printJsonLine({ stdout }: CliContext, value: unknown): void {
  stdout.write(`${JSON.stringify(value)}\n`);
}

/** Prints rows as columns, cut to the width of a terminal. */
export function printTable<Row>(
  context: CliContext,
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
): void {
  const { bold } = stdoutStyle(context);
  const { isTTY, columns: width } = context.stdout;
  const options = { styleTitle: bold, width: isTTY === true ? width : undefined };
  context.stdout.write(`${formatTable(columns, rows, options)}\n`);
}

/** Prints names and values. */
export function printFields(
  context: CliContext,
  fields: readonly (readonly [string, string])[],
): void {
  const { dim } = stdoutStyle(context);
  const width = Math.max(...fields.map(([name]) => name.length));
  for (const [name, value] of fields) {
    context.stdout.write(`${dim(name.padEnd(width))}  ${value}\n`);
  }
}
