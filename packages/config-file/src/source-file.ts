import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { ConfigProblem } from "./config-file-error.ts";

/** Keys and indexes from the root to a value. */
export type ConfigPath = readonly (string | number)[];

/** Most nodes that aliases may stand for: a few lines can ask for billions. */
const MAX_ALIASES = 100;

/** A configuration's text, read, with the place of each value in it. */
export class SourceFile {
  /** As the caller named it. */
  readonly file: string;
  /** What it holds; `undefined` where it is empty or broken. */
  readonly value: unknown;
  readonly problems: ConfigProblem[] = [];
  /** Other files whose content is part of what it says (absolute paths). */
  readonly dependencies: string[] = [];
  readonly #root: Node | null;
  readonly #lines = new LineCounter();

  /** @param text YAML 1.2, of which JSON is a part */
  constructor(file: string, text: string) {
    this.file = file;
    const document = parseDocument(text, { lineCounter: this.#lines, merge: true });
    this.#root = document.contents;
    for (const [index, error] of document.errors.entries()) {
      // What follows an error of syntax follows from it, mostly.
      if (index > 0 && error.code !== "DUPLICATE_KEY") continue;
      const [line, column] = this.#place(error.pos[0]);
      const message = error.message.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "");
      this.problems.push({ file, line, column, path: "", message: message ?? error.code });
    }
    if (this.problems.length > 0) return;
    try {
      this.value = document.toJS({ maxAliasCount: MAX_ALIASES });
    } catch (error) {
      // A ReferenceError: aliases that stand for more than a file of tunnels needs.
      this.fail([], error instanceof Error ? error.message : String(error));
    }
  }

  /** Notes a fault of the value at `path`, or of the nearest one above it that the file has. */
  fail(path: ConfigPath, message: string): void {
    const [line, column] = this.placeOf(path);
    this.problems.push({ file: this.file, line, column, path: path.join("."), message });
  }

  /** Line and column, from 1, of the key at `path` (of the item, in a list). */
  placeOf(path: ConfigPath): readonly [line: number, column: number] {
    let node: unknown = this.#root;
    let at = this.#root?.range?.[0] ?? 0;
    for (const step of path) {
      const found = this.#step(node, step);
      if (found === undefined) break;
      at = found.at;
      node = found.value;
    }
    return this.#place(at);
  }

  #step(node: unknown, step: string | number): { at: number; value: unknown } | undefined {
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        if (!isScalar(key) || String(key.value) !== String(step)) continue;
        return { at: key.range?.[0] ?? 0, value: isAlias(value) ? undefined : value };
      }
    }
    if (isSeq(node)) {
      const item = node.items[Number(step)];
      if (isScalar(item) || isMap(item) || isSeq(item)) {
        return { at: item.range?.[0] ?? 0, value: item };
      }
    }
    return undefined;
  }

  #place(offset: number): readonly [line: number, column: number] {
    const { line, col } = this.#lines.linePos(offset);
    return [Math.max(1, line), Math.max(1, col)];
  }
}
