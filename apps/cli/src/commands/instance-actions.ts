import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import type { InstanceAction } from "../instances/settle.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/remote-options.ts";

const actions: readonly (readonly [InstanceAction, string])[] = [
  ["start", "start instances"],
  ["stop", "stop instances"],
  ["restart", "restart instances"],
  ["reset", "set the traffic counters of instances to zero"],
];

/** Adds `start`, `stop`, `restart`, `reset` and `rm`. */
export function addActionCommands(program: Command, context: CliContext): void {
  const argument = ["<instance...>", "ids, beginnings of ids, or aliases"] as const;
  for (const [action, description] of actions) {
    addRemoteOptions(program.command(action).description(description))
      .argument(...argument)
      .action(async (names: readonly string[], options: RemoteOptions) => {
        const { control } = await import("../instances/change-commands.ts");
        await control(context, action, names, options);
      });
  }
  addRemoteOptions(program.command("rm").description("stop instances and forget them"))
    .argument(...argument)
    .action(async (names: readonly string[], options: RemoteOptions) => {
      const { remove } = await import("../instances/change-commands.ts");
      await remove(context, names, options);
    });
}
