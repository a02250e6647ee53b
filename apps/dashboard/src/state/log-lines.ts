import type { LogLineLevel } from "@nodepass/model";
import { findWords } from "./find-words.ts";

/** A piece of a line in one colour. */
export interface LogPiece {
  readonly text: string;
  /** As terminals have them; `""` for the page's own. */
  readonly colour: "" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan";
}

/** One line of a log, for the page. */
export interface LogLine {
  readonly number: number;
  readonly level: LogLineLevel;
  /** Without colours. */
  readonly text: string;
  readonly pieces: readonly LogPiece[];
}

const colours = ["red", "green", "yellow", "blue", "magenta", "cyan"] as const;
const ESCAPE = String.fromCharCode(27);
const sequence = new RegExp(`${ESCAPE}\\[(\\d+)m`, "g");
const levels = [
  [/\bERROR\b/, "error"],
  [/\bWARN\b/, "warn"],
  [/\bDEBUG\b/, "debug"],
] as const;

/** Takes a line apart as a master sends it, with colours for terminals. */
export function readLogLine(line: string, number: number): LogLine {
  const pieces: LogPiece[] = [];
  let colour: LogPiece["colour"] = "";
  let from = 0;
  const add = (to: number): void => {
    if (to > from) pieces.push({ text: line.slice(from, to), colour });
  };
  for (const match of line.matchAll(sequence)) {
    add(match.index);
    colour = colours[Number(match[1]) - 31] ?? "";
    from = match.index + match[0].length;
  }
  add(line.length);
  const text = pieces.map((piece) => piece.text).join("");
  // What is told comes after the level: its own words do not count.
  const head = text.slice(0, 40);
  const level = levels.find(([pattern]) => pattern.test(head))?.[1] ?? "info";
  return { number, level, text, pieces };
}

const order = ["debug", "info", "warn", "error"] as const;

/** The lines of at least a level that have every word. */
export function findLines(
  lines: readonly LogLine[],
  least: LogLineLevel,
  query: string,
): LogLine[] {
  const from = order.indexOf(least);
  const loud = lines.filter(({ level }) => order.indexOf(level) >= from);
  return findWords(loud, query, ({ text }) => text);
}
