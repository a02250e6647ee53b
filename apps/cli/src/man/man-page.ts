import { describeEnvironment, describeParameters } from "@nodepass/url-config";
import type { Command, Help } from "commander";
import { exitCodes } from "../exit-code.ts";
import { Roff } from "./roff.ts";

/** What the command itself reads; those of tunnels are url-config's. */
const VARIABLES: readonly (readonly [name: string, meaning: string])[] = [
  ["NP_URL", "the URL of run, check and create, where none is given"],
  ["NP_TUNNEL_KEY", "the tunnel's key of expose"],
  ["NP_METRICS", "where run serves the metrics of tunnels, as --metrics"],
  ["NP_MASTER_URL", "the master that commands ask, as --master"],
  ["NP_API_KEY", "its API key, as --key; of a master that is run: its own"],
  ["NP_STATE_DIR, NP_WORKERS, NP_SHOW_KEY", "of a master that is run: its state, threads, key"],
  ["NO_COLOR, FORCE_COLOR", "colours off, on"],
];

const STATUSES: readonly (readonly [code: number, meaning: string])[] = [
  [exitCodes.ok, "done, or stopped as asked"],
  [exitCodes.failure, "failed, and said why"],
  [exitCodes.usage, "wrong usage"],
  [exitCodes.notFound, "the master has no such instance, or several could be meant"],
  [exitCodes.unauthorized, "the master refuses the API key, or there is none"],
  [exitCodes.unreachable, "no answer of a master"],
  [exitCodes.differs, "diff, apply --dry-run: the master is not what the files say"],
];

/**
 * Writes the manual page of a program, from the program itself and the tables of URLs and of the environment.
 *
 * @param after what the program's help says after all, such as examples
 */
export function formatManPage(program: Command, version: string, after: string): string {
  const help = program.createHelp();
  const name = program.name();
  const page = new Roff()
    .raw(`.TH ${name.toUpperCase()} 1 "" "${name} ${version}" "User Commands"`)
    .section("Name")
    .raw(`${name} \\- ${program.description().replaceAll("-", "\\-")}`)
    .section("Synopsis")
    .raw(`.B ${name}`)
    .raw("\\fIurl\\fR [\\fIoptions\\fR]")
    .raw(".br")
    .raw(`.B ${name}`)
    .raw("\\fIcommand\\fR [\\fIoptions\\fR]")
    .section("Options");
  options(page, help, program);
  page.section("Commands");
  for (const command of help.visibleCommands(program)) describe(page, help, command, name);
  page.section("URLs").text("scheme://[key@]tunnel/target[,target...]?name=value&...");
  for (const { name, schemes, defaultText, allowed, meaning } of describeParameters()) {
    const given = defaultText === undefined ? "" : ` Default: ${defaultText}.`;
    page.item(name, `${schemes.join(", ")}: ${meaning}. Allowed: ${allowed}.${given}`);
  }
  page.section("Environment");
  for (const [variable, meaning] of VARIABLES) page.item(variable, meaning);
  for (const { name, meaning, allowed, defaultText } of describeEnvironment()) {
    page.item(name, `${meaning}. Allowed: ${allowed}. Default: ${defaultText}.`);
  }
  page.section("Exit status");
  for (const [code, meaning] of STATUSES) page.item(String(code), meaning);
  page.item(`${exitCodes.signalBase}+n`, "cut by a second signal, number n");
  page.section("Examples").example(after.trim().replace(/^Examples:\n/, ""));
  return page.toString();
}

/** A command and all below it. */
function describe(page: Roff, help: Help, command: Command, parent: string): void {
  const path = `${parent} ${command.name()}`;
  page.subsection(`${path} ${command.usage()}`.trim());
  page.text(command.description());
  for (const argument of help.visibleArguments(command)) {
    page.item(argument.name(), help.argumentDescription(argument));
  }
  options(page, help, command);
  for (const each of help.visibleCommands(command)) {
    if (each.name() !== "help") describe(page, help, each, path);
  }
}

function options(page: Roff, help: Help, command: Command): void {
  for (const option of help.visibleOptions(command)) {
    if (option.long === "--help" && command.parent !== null) continue;
    page.item(help.optionTerm(option), help.optionDescription(option));
  }
}
