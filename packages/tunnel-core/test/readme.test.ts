import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DEFAULT_ENVIRONMENT, describeEnvironment } from "@nodepass/url-config";
import { beforeAll, describe, expect, test } from "vitest";

const folder = fileURLToPath(new URL("..", import.meta.url));

describe("README.md", () => {
  let readme = "";

  beforeAll(async () => {
    readme = await readFile(`${folder}README.md`, "utf8");
  });

  test("its example prints what it says, with the built package", async () => {
    // The package imports itself by name from its own folder.
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "--eval", between("```js\n", "```")],
      { cwd: folder },
    );
    expect(stdout).toBe(between("```text\n", "```"));
  });

  test("its limits are those of url-config", () => {
    const due = describeEnvironment().map(({ field, name, meaning }) => [
      field,
      DEFAULT_ENVIRONMENT[field].toLocaleString("en-US"),
      name,
      meaning,
    ]);
    const told = rows("limits").map(([field, value, , name, meaning]) => [
      field,
      value,
      name,
      meaning,
    ]);
    expect(told).toEqual(due);
  });

  test("it tells every error code, once and in order", async () => {
    const source = await readFile(`${folder}src/errors.ts`, "utf8");
    const codes = [...source.matchAll(/^ {2}\| "([A-Z_0-9]+)"/gm)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(10);
    expect(rows("codes").map(([code]) => code)).toEqual(codes);
  });

  /** The cells of a table between its two comments, without its head and its back quotes. */
  function rows(name: string): string[][] {
    const [, , ...lines] = between(`<!-- ${name} -->\n`, `<!-- /${name} -->`).trim().split("\n");
    return lines.map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("`", "")),
    );
  }

  function between(start: string, end: string): string {
    const [, rest = ""] = readme.split(start);
    const [text = ""] = rest.split(end);
    return text;
  }
});
