import { Argument, Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { formatBashCompletion } from "./bash.ts";
import { flattenCommands, toCommandTree } from "./command-tree.ts";
import { formatFishCompletion } from "./fish.ts";
import { formatZshCompletion } from "./zsh.ts";

function createTree() {
  const program = new Command("demo").description("a demo").version("1.0.0");
  program.command("secret", { hidden: true });
  const key = program.command("key").description("what's [to] do: keys");
  key
    .command("renew")
    .description("renew it")
    .addArgument(new Argument("<kind>").choices(["api", "tunnel"]))
    .addOption(new Option("-f, --format <format>", "how").choices(["text", "json"]))
    .option("--bytes <number>", "how long");
  return toCommandTree(program);
}

describe("toCommandTree", () => {
  it("holds every visible command, option and choice, nested ones too", () => {
    const tree = createTree();
    expect(flattenCommands(tree).map(({ path }) => path)).toEqual([
      "",
      "/key",
      "/key/renew",
      "/key/help",
      "/help",
    ]);
    const renew = flattenCommands(tree).find(({ name }) => name === "renew");
    expect(renew?.values).toEqual(["api", "tunnel"]);
    expect(renew?.options.map(({ short, long, takesValue }) => [short, long, takesValue])).toEqual([
      ["-f", "--format", true],
      [undefined, "--bytes", true],
      ["-h", "--help", false],
    ]);
  });
});

describe.each([
  ["bash", formatBashCompletion],
  ["zsh", formatZshCompletion],
  ["fish", formatFishCompletion],
])("the script for %s", (_shell, formatCompletion) => {
  it("names every command, option and value, and no hidden one", () => {
    const script = formatCompletion(createTree());
    for (const word of ["key", "renew", "api", "tunnel", "format", "bytes", "text json"]) {
      expect(script).toContain(word);
    }
    expect(script).not.toContain("secret");
  });
});
