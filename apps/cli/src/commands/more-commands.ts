import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { addCheckCommand } from "./check.ts";
import { addCompletionCommand } from "./completion.ts";
import { addDemoCommand } from "./demo.ts";
import { addFileCommands } from "./files.ts";
import { addFleetCommand } from "./fleet.ts";
import { addActionCommands } from "./instance-actions.ts";
import { addInstanceCommands } from "./instances.ts";
import { addKeygenCommand } from "./keygen.ts";
import { addMcpCommand } from "./mcp.ts";
import { addProfileCommands } from "./profiles.ts";
import { addQuickstartCommand } from "./quickstart.ts";
import { addMasterCommands } from "./remote-master.ts";
import { addServiceCommand } from "./service.ts";
import { addShortcutCommands } from "./shortcuts.ts";
import { addVersionCommand } from "./version.ts";
import { addWatchCommands } from "./watch.ts";

/** Adds every command but `run`, in the order of the help. */
export function addMoreCommands(program: Command, context: CliContext): void {
  addCheckCommand(program, context);
  addKeygenCommand(program, context);
  addDemoCommand(program, context);
  addShortcutCommands(program, context);
  addServiceCommand(program, context);
  program.commandsGroup("A master and its instances:");
  addProfileCommands(program, context);
  addInstanceCommands(program, context);
  addActionCommands(program, context);
  addWatchCommands(program, context);
  addMasterCommands(program, context);
  addMcpCommand(program, context);
  program.commandsGroup("A fleet of masters:");
  addFleetCommand(program, context);
  program.commandsGroup("Files:");
  addFileCommands(program, context);
  program.commandsGroup("Other:");
  addCompletionCommand(program, context);
  addQuickstartCommand(program, context);
  addVersionCommand(program, context);
  // Named here so that it joins the group.
  program.helpCommand(true);
}
