import type { TextOutput } from "../context.ts";

/**
 * Whether text for `output` may be coloured: `NO_COLOR` (not empty) and `FORCE_COLOR=0` forbid it,
 * `FORCE_COLOR` asks for it, else a terminal decides that isn't `TERM=dumb`.
 *
 * @see https://no-color.org
 */
export function hasColour(
  output: TextOutput,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const { NO_COLOR: no, FORCE_COLOR: force, TERM: term } = environment;
  if ((no !== undefined && no !== "") || force === "0" || force === "false") return false;
  if (force !== undefined && force !== "") return true;
  return output.isTTY === true && term !== "dumb";
}

/** Puts text into a style, or leaves it as it is. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
  green(text: string): string;
  cyan(text: string): string;
}

/** Creates the style for an output with or without colours. */
export function createStyle(coloured: boolean): Style {
  const code = (start: number, end: number) =>
    coloured ? (text: string) => `\x1b[${start}m${text}\x1b[${end}m` : (text: string) => text;
  return {
    bold: code(1, 22),
    dim: code(2, 22),
    red: code(31, 39),
    yellow: code(33, 39),
    green: code(32, 39),
    cyan: code(36, 39),
  };
}
