import { expect, it } from "vitest";
import { defaultUrl, readArguments } from "./arguments.ts";

it.each([
  [[], undefined, { kind: "run", url: defaultUrl }],
  [[], "", { kind: "run", url: defaultUrl }],
  [[], "master://:1", { kind: "run", url: "master://:1" }],
  [["master://:2"], "master://:1", { kind: "run", url: "master://:2" }],
  [["--help"], undefined, { kind: "help" }],
  [["-h", "x"], undefined, { kind: "help" }],
  [["-v"], undefined, { kind: "version" }],
  [["--", "master://:2"], undefined, { kind: "run", url: "master://:2" }],
])("reads %j with NP_MASTER_URL %j", (argv, url, expected) => {
  expect(readArguments(argv, url)).toEqual(expected);
});

it.each([[["--port", "1"]], [["--help=yes"]], [["a", "b"]]])("refuses %j", (argv) => {
  expect(readArguments(argv, undefined).kind).toBe("wrong usage");
});
