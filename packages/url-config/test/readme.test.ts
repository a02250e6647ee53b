import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { environmentRows, parameterRows } from "./support/readme-tables.ts";

const folder = fileURLToPath(new URL("..", import.meta.url));

describe("README.md", () => {
  let readme = "";

  beforeAll(async () => {
    readme = await readFile(`${folder}README.md`, "utf8");
  });

  test("its example prints what it says, with the built package", async () => {
    const example = block("js");
    // The package imports itself by name from its own folder.
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "--eval", example],
      { cwd: folder },
    );
    expect(stdout).toBe(block("text"));
  });

  test("its tables are the parser's", () => {
    expect(section("parameters")).toBe(parameterRows());
    expect(section("environment")).toBe(environmentRows());
  });

  /** The first fenced block in that language. */
  function block(language: string): string {
    return between(`\`\`\`${language}\n`, "```");
  }

  /** The rows of a table between its two comments, without the formatter's padding. */
  function section(name: string): string {
    const table = between(`<!-- ${name} -->\n`, `<!-- /${name} -->`);
    return table.replace(/^.*\n.*\n/, "").replaceAll(/ +\|/g, " |");
  }

  function between(start: string, end: string): string {
    const [, rest = ""] = readme.split(start);
    const [text = ""] = rest.split(end);
    return text;
  }
});
