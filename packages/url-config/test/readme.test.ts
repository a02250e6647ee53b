import { Readme } from "test-support/readme";
import { describe, expect, test } from "vitest";
import { environmentRows, parameterRows } from "./support/readme-tables.ts";

const readme = new Readme(import.meta.url);

describe("README.md", () => {
  test("its example prints what it says, with the built package", async () => {
    expect((await readme.runBuilt()).stdout).toBe(readme.printed);
  });

  test("its tables are the parser's", () => {
    expect(section("parameters")).toBe(parameterRows());
    expect(section("environment")).toBe(environmentRows());
  });

  /** The rows of a table between its two comments, without the formatter's padding. */
  function section(name: string): string {
    const table = readme.between(`<!-- ${name} -->\n`, `<!-- /${name} -->`);
    return table.replace(/^.*\n.*\n/, "").replaceAll(/ +\|/g, " |");
  }
});
