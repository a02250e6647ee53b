import { describeEnvironment, describeParameters } from "@nodepass/url-config";
import { Argument, Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { formatManPage } from "./man-page.ts";
import { Roff } from "./roff.ts";

describe("a manual page", () => {
  it("tells every command, argument and option, nested ones too, and no hidden one", () => {
    const program = new Command("demo").description("a demo").version("1.0.0");
    program.command("secret", { hidden: true });
    program
      .command("key")
      .command("renew")
      .description("renews it")
      .addArgument(new Argument("<kind>", "which one").choices(["api", "read"]))
      .addOption(new Option("-f, --format <format>", "how"));
    const page = formatManPage(program, "1.2.3", "\nExamples:\n  demo key renew\n");
    for (const line of [
      '.TH DEMO 1 "" "demo 1.2.3" "User Commands"',
      "demo \\- a demo",
      '.SS "demo key renew [options] <kind>"',
      "renews it",
      "\\fBkind\\fR",
      'which one (choices: "api", "read")',
      "\\fB\\-f, \\-\\-format <format>\\fR",
      "  demo key renew",
    ]) {
      expect(page.split("\n")).toContain(line);
    }
    expect(page).not.toContain("secret");
    for (const { name } of [...describeParameters(), ...describeEnvironment()]) {
      expect(page).toContain(`\n\\fB${name}\\fR\n`);
    }
  });

  it("escapes what roff would take for its own", () => {
    const text = new Roff().text(".dot\n'quote\nback\\slash a-b …").item("-x", "").toString();
    expect(text.split("\n")).toEqual([
      ...[".PP", "\\&.dot", ".PP", "\\&'quote", ".PP", "back\\eslash a\\-b \\[u2026]"],
      ...[".TP", "\\fB\\-x\\fR", "\\&", ""],
    ]);
  });
});
