import { expect, it } from "vitest";
import { formatTable, type TableColumn } from "./table.ts";

const columns: TableColumn<readonly string[]>[] = [
  { title: "NAME", cell: ([name = ""]) => name },
  { title: "N", cell: ([, n = ""]) => n, align: "right" },
  { title: "TEXT", cell: ([, , text = ""]) => text },
];

it("writes aligned columns of one line each, without blanks at the ends", () => {
  const rows = [
    ["a", "1", "one"],
    ["漢字", "1000", ""],
  ];
  expect(formatTable(columns, rows).split("\n")).toEqual([
    "NAME     N  TEXT",
    "a        1  one",
    "漢字  1000",
  ]);
});

it("cuts the last column to the width of the terminal, and only if it must", () => {
  const rows = [["a", "1", "a text that is too long"]];
  expect(formatTable(columns, rows, { width: 20 }).split("\n")).toEqual([
    "NAME  N  TEXT",
    "a     1  a text tha…",
  ]);
  expect(formatTable(columns, rows, { width: 80 })).toContain("too long");
  expect(formatTable(columns, rows)).toContain("too long");
});

it("counts colours as nothing", () => {
  const rows = [["\x1b[31mred\x1b[39m", "1", "x"]];
  expect(formatTable(columns, rows).split("\n")[1]).toBe("\x1b[31mred\x1b[39m   1  x");
});
