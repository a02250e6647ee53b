import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { addFleetFiles } from "./fleet-files.ts";
import { addFleetMembers } from "./fleet-members.ts";
import { addFleetServices } from "./fleet-services.ts";
import { addFleetViews } from "./fleet-views.ts";

/** Adds `fleet`: many masters as one, through its hub. */
export function addFleetCommand(program: Command, context: CliContext): void {
  const fleet = program
    .command("fleet")
    .description("many masters as one: set it up, see it, place tunnels on it")
    .addHelpText("after", "\nThe hub is named as a master is: login once, or --master.\n");
  addFleetFiles(fleet, context);
  addFleetMembers(fleet, context);
  addFleetViews(fleet, context);
  addFleetServices(fleet, context);
}
