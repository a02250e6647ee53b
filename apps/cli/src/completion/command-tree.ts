import type { Command, Option } from "commander";

/** An option as a shell completes it. */
export interface CompletionOption {
  /** `-h`, if it has a short form. */
  readonly short: string | undefined;
  /** `--help`, if it has a long form. */
  readonly long: string | undefined;
  readonly description: string;
  /** Whether a value follows. */
  readonly takesValue: boolean;
  /** The values it may have, if they are few. */
  readonly values: readonly string[];
  /** What the command itself is asked for at completion. */
  readonly source: CompletionSource | undefined;
}

/** Names that only the command knows: `nodepass complete-names <source>` prints them. */
export const completionSources = ["instances", "profiles", "masters", "services"] as const;
export type CompletionSource = (typeof completionSources)[number];

/** A command as a shell completes it. */
export interface CompletionCommand {
  readonly name: string;
  /** From the program down: `""`, `"/check"`, `"/key/renew"`. */
  readonly path: string;
  readonly description: string;
  readonly options: readonly CompletionOption[];
  /** Values of its first argument, if they are few. */
  readonly values: readonly string[];
  /** What the command itself is asked for its arguments. */
  readonly source: CompletionSource | undefined;
  readonly commands: readonly CompletionCommand[];
}

/** Reads what shells need off the program itself, so that completion knows what the program knows. */
export function toCommandTree(command: Command, parentPath?: string): CompletionCommand {
  const help = command.createHelp();
  const path = parentPath === undefined ? "" : `${parentPath}/${command.name()}`;
  return {
    name: command.name(),
    path,
    description: command.summary() || command.description(),
    options: help.visibleOptions(command).map((option) => ({
      short: option.short,
      long: option.long,
      description: option.description,
      takesValue: option.required || option.optional,
      values: option.argChoices ?? [],
      source: sourceOfOption(option),
    })),
    values: command.registeredArguments[0]?.argChoices ?? [],
    source: sourceOf(command),
    commands: help.visibleCommands(command).map((each) => toCommandTree(each, path)),
  };
}

/** Arguments are called by what they are. */
const sources: Readonly<Record<string, CompletionSource>> = {
  instance: "instances",
  profile: "profiles",
  master: "masters",
  service: "services",
};

function sourceOf(command: Command): CompletionSource | undefined {
  return sources[command.registeredArguments[0]?.name() ?? ""];
}

function sourceOfOption({ long, short, flags }: Option): CompletionSource | undefined {
  // `login --master` is for what is no profile yet.
  if (long === "--profile" || short === "-m") return "profiles";
  return flags.endsWith("<master>") ? "masters" : undefined;
}

/** A command and all below it. */
export function flattenCommands(command: CompletionCommand): CompletionCommand[] {
  return [command, ...command.commands.flatMap(flattenCommands)];
}

/** An option's forms, such as `["-h", "--help"]`. */
export function optionForms(option: CompletionOption): string[] {
  return [option.short, option.long].filter((form) => form !== undefined);
}
