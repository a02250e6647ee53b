import { expect, it } from "vitest";
import { defaultUrl, readArguments } from "./arguments.ts";

it.each([
  [[], undefined, { kind: "run", url: defaultUrl, logFormat: "text" }],
  [[], "", { kind: "run", url: defaultUrl, logFormat: "text" }],
  [[], "master://:1", { kind: "run", url: "master://:1", logFormat: "text" }],
  [["master://:2"], "master://:1", { kind: "run", url: "master://:2", logFormat: "text" }],
  [["--log-format", "json"], "", { kind: "run", url: defaultUrl, logFormat: "json" }],
  [["--renew-key"], "master://:1", { kind: "renew key" }],
  [["--help"], undefined, { kind: "help" }],
  [["-h", "x"], undefined, { kind: "help" }],
  [["-v"], undefined, { kind: "version" }],
  [
    ["--import", "x.gob"],
    "",
    { kind: "run", url: defaultUrl, logFormat: "text", importFile: "x.gob" },
  ],
  [["--", "master://:2"], undefined, { kind: "run", url: "master://:2", logFormat: "text" }],
])("reads %j with NP_MASTER_URL %j", (argv, url, expected) => {
  expect(readArguments(argv, url)).toEqual(expected);
});

it.each([
  [["--port", "1"]],
  [["--help=yes"]],
  [["a", "b"]],
  [["--log-format"]],
  [["--log-format=xml"]],
  [["--renew-key", "master://:1"]],
])("refuses %j", (argv) => {
  expect(readArguments(argv, undefined).kind).toBe("wrong usage");
});
