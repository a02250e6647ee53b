import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { inspect, promisify } from "node:util";

/** A package's README, for the test that holds it against the code. */
export class Readme {
  readonly text: string;
  /** Of the package, with a slash at its end. */
  readonly folder: string;

  /** @param test `import.meta.url` of a file in the package's `test` folder */
  constructor(test: string) {
    this.folder = fileURLToPath(new URL("..", test));
    this.text = readFileSync(`${this.folder}README.md`, "utf8");
  }

  /** The first fenced block in that language. */
  block(language: string): string {
    const [, rest] = this.text.split(`\`\`\`${language}\n`);
    if (rest === undefined) throw new Error(`${this.folder}README.md has no block of ${language}`);
    return rest.split("```")[0] ?? "";
  }

  /** The text between two others, the first of each. */
  between(start: string, end: string): string {
    return this.text.split(start)[1]?.split(end)[0] ?? "";
  }

  /** What its example is said to print. */
  get printed(): string {
    return this.block("text");
  }

  /**
   * Runs the example in this process.
   *
   * @param known what it imports, and what it takes for given; `print` and `console.log` are there
   * @returns what it has printed, each line with its end
   */
  async run(known: Readonly<Record<string, unknown>>, language: "js" | "ts" = "js") {
    const lines: string[] = [];
    const shown = (value: unknown) => (typeof value === "string" ? value : inspect(value));
    const print = (...values: unknown[]) => lines.push(`${values.map(shown).join(" ")}\n`);
    const all = { print, console: { log: print, error: console.error }, ...known };
    const body = this.block(language).replace(/^import .*\n/gm, "");
    const run = new Function(...Object.keys(all), `return (async () => {${body}})();`);
    await run(...Object.values(all));
    return lines.join("");
  }

  /** Runs the example as a program: the package finds itself, as it is built, by name. */
  async runBuilt(code = this.block("js")): Promise<{ stdout: string; stderr: string }> {
    const program = ["--input-type=module", "--eval", code];
    return promisify(execFile)(process.execPath, program, { cwd: this.folder });
  }

  /** The codes of the union `…ErrorCode` in one of the package's files. */
  codesOf(path: string): string[] {
    const [, union = ""] = /ErrorCode =([\s\S]*?);\n/.exec(this.#source(path)) ?? [];
    return someOf(union.matchAll(/"([A-Z_0-9]+)"/g), `codes in ${path}`);
  }

  /** The fields of an interface in one of the package's files. */
  fieldsOf(path: string, name: string): string[] {
    const lines =
      this.#source(path).split(`export interface ${name} {\n`)[1]?.split("\n}")[0] ?? "";
    return someOf(lines.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm), `fields of ${name}`);
  }

  /** Those of some names that no table has, alone in a cell or with others in the first one of a row. */
  untold(names: readonly string[]): string[] {
    const first = this.text.match(/^\|[^|]*\|/gm)?.join("") ?? "";
    return names.filter(
      (name) => !first.includes(`\`${name}\``) && !this.text.includes(`| \`${name}\` |`),
    );
  }

  #source(path: string): string {
    return readFileSync(`${this.folder}src/${path}`, "utf8");
  }
}

/** What was found, of which there is some. */
function someOf(found: Iterable<RegExpMatchArray>, what: string): string[] {
  const names = Array.from(found, ([, name = ""]) => name);
  if (names.length < 2) throw new Error(`found no ${what}`);
  return names;
}
