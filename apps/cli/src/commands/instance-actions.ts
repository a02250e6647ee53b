import type { InstanceAction } from "@nodepass/model";
import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/remote-options.ts";
import { collectTagFilter } from "./tag-option.ts";

const actions: readonly (readonly [InstanceAction, string])[] = [
  ["start", "start instances"],
  ["stop", "stop instances"],
  ["restart", "restart instances"],
  ["reset", "set the traffic counters of instances to zero"],
];

interface SelectionOptions extends RemoteOptions {
  readonly all?: boolean;
  readonly tag?: Readonly<Record<string, string | undefined>>;
}

function addSelectionOptions(command: Command): Command {
  return addRemoteOptions(command)
    .option("--all", "all instances of the master")
    .option(
      "--tag <name[=value]>",
      "only those with this tag; may be given again",
      collectTagFilter,
    );
}

/** Adds `start`, `stop`, `restart`, `reset` and `rm`. */
export function addActionCommands(program: Command, context: CliContext): void {
  const argument = ["[instance...]", "ids, beginnings of ids, or aliases"] as const;
  for (const [action, description] of actions) {
    addSelectionOptions(program.command(action).description(description))
      .argument(...argument)
      .action(async (names: readonly string[], options: SelectionOptions) => {
        const { control } = await import("../instances/change-commands.ts");
        await control(context, action, names, options);
      });
  }
  addSelectionOptions(program.command("rm").description("stop instances and forget them"))
    .argument(...argument)
    .action(async (names: readonly string[], options: SelectionOptions) => {
      const { remove } = await import("../instances/change-commands.ts");
      await remove(context, names, options);
    });
}
