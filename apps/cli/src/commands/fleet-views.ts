import { Argument, type Command, InvalidArgumentError } from "commander";
import type { CliContext } from "../context.ts";
import type { FleetListOptions, FleetShowOptions } from "../fleet/list-fleet.ts";
import type { FleetAuditOptions } from "../fleet/print-audit.ts";
import type { FleetEventsOptions } from "../fleet/print-fleet-events.ts";
import { addRemoteOptions } from "../remote/remote-options.ts";

const listed = ["masters", "services", "instances"] as const;
const showKey = ["--show-key", "don't hide the tunnels' keys in URLs"] as const;

/** Adds `fleet ls`, `show`, `events` and `audit`: what is, and what happens. */
export function addFleetViews(fleet: Command, context: CliContext): void {
  addRemoteOptions(
    fleet
      .command("ls")
      .alias("list")
      .description("list the fleet's masters, services or instances"),
  )
    .addArgument(new Argument("[what]", "which").choices(listed).default("masters"))
    .option("-l, --selector <selector>", "of masters with such labels: region=eu,!busy")
    .option("--status <status>", "with this status only")
    .option("--on <master>", "services and instances of this master only")
    .option("-q, --quiet", "ids only")
    .option(...showKey)
    .action(async (what: (typeof listed)[number], options: FleetListOptions) => {
      const { listFleetInstances, listMasters, listServices } = await import(
        "../fleet/list-fleet.ts"
      );
      const list = { masters: listMasters, services: listServices, instances: listFleetInstances };
      await list[what](context, options);
    });

  addRemoteOptions(
    fleet
      .command("show")
      .description("show all of a master or a service; without a name, the fleet"),
  )
    .argument("[name]", "mid or name of a master, sid or alias of a service")
    .option(...showKey)
    .action(async (name: string | undefined, options: FleetShowOptions) => {
      const { showInFleet } = await import("../fleet/list-fleet.ts");
      await showInFleet(context, name, options);
    });

  addRemoteOptions(fleet.command("events").description("follow all that happens in the fleet"))
    .option(
      "--type <type>",
      "failover, alarm, master, service …: only these; may be given again",
      (value: string, previous: readonly string[] = []) => [...previous, value],
    )
    .option(...showKey)
    .action(async (options: FleetEventsOptions) => {
      const { printFleetEvents } = await import("../fleet/print-fleet-events.ts");
      await printFleetEvents(context, options);
    });

  addRemoteOptions(fleet.command("audit").description("list who did what, the newest first"))
    .option("--limit <number>", "records, at most 1000", parseLimit, 50)
    .option("--before <sequence>", "older than this record", parseSequence)
    .action(async (options: FleetAuditOptions) => {
      const { printAudit } = await import("../fleet/print-audit.ts");
      await printAudit(context, options);
    });
}

function parseLimit(value: string): number {
  const limit = /^\d{1,4}$/.test(value) ? Number(value) : 0;
  if (limit < 1 || limit > 1000) {
    throw new InvalidArgumentError("allowed: a whole number from 1 to 1000.");
  }
  return limit;
}

function parseSequence(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError("allowed: a whole number.");
  return Number(value);
}
