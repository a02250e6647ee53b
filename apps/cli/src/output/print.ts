import type { CliContext } from "../context.ts";
import { createStyle, hasColour, type Style } from "./colour.ts";
import { formatTable, type TableColumn } from "./table.ts";
import { needsQuotes, plainJson } from "./terminal-text.ts";

/** The style for standard output. */
export function stdoutStyle({ stdout, environment }: CliContext): Style {
  return createStyle(hasColour(stdout, environment));
}

/** How a value for programs is written. */
export interface DataOptions {
  /** `yaml`, else JSON. */
  readonly output?: string | undefined;
}

/** Prints a value for programs, in a form that people can read too. */
export async function printData(
  { stdout }: CliContext,
  value: unknown,
  { output }: DataOptions,
): Promise<void> {
  if (output !== "yaml") {
    stdout.write(`${plainJson(JSON.stringify(value, undefined, 2))}\n`);
    return;
  }
  const toYaml = await yamlWriter();
  stdout.write(toYaml(value));
}

/** Returns what prints values of a stream: lines of JSON, or YAML documents. */
export async function streamPrinter(
  { stdout }: CliContext,
  { output }: DataOptions,
): Promise<(value: unknown) => void> {
  if (output !== "yaml") return (value) => stdout.write(`${plainJson(JSON.stringify(value))}\n`);
  const toYaml = await yamlWriter();
  return (value) => stdout.write(`---\n${toYaml(value)}`);
}

/** Long URLs stay on their line; ids such as 12345678 and 1e234567 stay text by the quotes. */
const yamlOptions = { lineWidth: 0, version: "1.1" } as const;

async function yamlWriter(): Promise<(value: unknown) => string> {
  const { Document, Scalar, visit } = await import("yaml");
  return (value) => {
    const document = new Document(value, yamlOptions);
    visit(document, {
      Scalar: (_key, node) => {
        if (typeof node.value === "string" && needsQuotes(node.value))
          node.type = Scalar.QUOTE_DOUBLE;
      },
    });
    return plainJson(document.toString(yamlOptions));
  };
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
