import { describe, expect, it } from "vitest";
import { expandArguments } from "./expand-arguments.ts";

describe("expandArguments", () => {
  it.each<[string[], string[]]>([
    [[], []],
    [["server://:1/:2"], ["run", "server://:1/:2"]],
    [
      ["nonsense://x", "--log-format", "json"],
      ["run", "nonsense://x", "--log-format", "json"],
    ],
    [
      ["--log-format", "json", "client://h:1/:2"],
      ["run", "--log-format", "json", "client://h:1/:2"],
    ],
    [
      ["check", "server://:1/:2"],
      ["check", "server://:1/:2"],
    ],
    [
      ["chekc", "server://:1/:2"],
      ["chekc", "server://:1/:2"],
    ],
    [["--version"], ["--version"]],
    [
      ["--master", "http://h", "ls"],
      ["ls", "--master", "http://h"],
    ],
    [
      ["-m", "edge@prod", "edit", "web", "--", "-x"],
      ["edit", "web", "-m", "edge@prod", "--", "-x"],
    ],
    [
      ["-medge@prod", "create", "server://:1/:2"],
      ["create", "server://:1/:2", "-medge@prod"],
    ],
    [
      ["--master=prod", "fleet", "ls"],
      ["fleet", "ls", "--master=prod"],
    ],
    [
      ["-m", "edge", "server://:1/:2"],
      ["run", "server://:1/:2", "-m", "edge"],
    ],
    [["-m"], ["-m"]],
    [
      ["-m", "edge"],
      ["-m", "edge"],
    ],
  ])("turns %j into %j", (argv, expected) => {
    expect(expandArguments(argv)).toEqual(expected);
  });

  it.each(["sekret@host:1/:2", ":10101/:80", "host:10101"])(
    "refuses %s, a URL without its scheme, without quoting it",
    (argument) => {
      expect(() => expandArguments([argument])).toThrow(
        expect.objectContaining({ exitCode: 2, message: expect.not.stringContaining(argument) }),
      );
    },
  );
});
