import type { FailoverPolicy, PartRole } from "@nodepass/model/fleet";
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import type { CliContext } from "../context.ts";
import type {
  FleetCreateOptions,
  FleetFailoverOptions,
  FleetMoveOptions,
  FleetPairOptions,
} from "../fleet/change-services.ts";
import type { FleetRemoveOptions } from "../fleet/remove-from-fleet.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/remote-options.ts";
import { collectTag } from "./tag-option.ts";

// Not the model's own lists: those bring its schemas along, and every command would load them.
const policies = ["off", "serve", "strict"] as const satisfies readonly FailoverPolicy[];
const roles = ["server", "client"] as const satisfies readonly PartRole[];
const place = "a master (mid or name), or a selector such as region=eu";
const serviceArgument = "sid, beginning of a sid, or alias";
const showKey = ["--show-key", "don't hide the tunnels' keys in URLs"] as const;

/** Adds `create`, `pair`, `move`, `start`, `stop`, `failover`, `adopt` and `rm`. */
export function addFleetServices(fleet: Command, context: CliContext): void {
  addNew(fleet.command("create").description("make a service: one tunnel end, or a pair of them"))
    .argument("<url>", "server:// or client:// URL; auto for a port takes a free one")
    .argument("[other]", "URL of the other end of a pair; its tunnel address may be auto")
    .requiredOption(
      "--on <master>",
      `where it runs: ${place}; a second time for the other end`,
      collect,
    )
    .option("--spread <label>", "over the values of this label, beside services of its kind")
    .action(async (url: string, other: string | undefined, options: FleetCreateOptions) => {
      const { createFleetService } = await import("../fleet/change-services.ts");
      await createFleetService(context, other === undefined ? [url] : [url, other], options);
    });

  addNew(fleet.command("pair").description("make both ends of a tunnel, or neither"))
    .requiredOption("--server <master>", `of the server: ${place}`)
    .requiredOption("--client <master>", `of the client: ${place}`)
    .requiredOption("--target <host:port>", "where users are led to")
    .requiredOption(
      "--entry <address>",
      "where users connect: :port, host:port, or auto for the port",
    )
    .addOption(
      new Option("--flow <flow>", "reverse: users connect at the server; forward: at the client")
        .choices(["reverse", "forward"])
        .default("reverse"),
    )
    .option("--no-tls", "no TLS between the two ends")
    .action(async (options: FleetPairOptions) => {
      const { createPair } = await import("../fleet/change-services.ts");
      await createPair(context, options);
    });

  addRemoteOptions(
    fleet.command("move").description("move a service, or one end, to another master"),
  )
    .argument("<service>", serviceArgument)
    .requiredOption("--to <master>", place)
    .addOption(new Option("--part <role>", "which end of a pair").choices(roles))
    .option("--force", "don't wait for a master that is silent; never for strict failover")
    .option(...showKey)
    .action(async (name: string, options: FleetMoveOptions) => {
      const { moveService } = await import("../fleet/change-services.ts");
      await moveService(context, name, options);
    });

  for (const [action, running] of [
    ["start", true],
    ["stop", false],
  ] as const) {
    addRemoteOptions(fleet.command(action).description(`${action} services, both ends`))
      .argument("<service...>", serviceArgument)
      .action(async (names: readonly string[], options: RemoteOptions) => {
        const { setRunning } = await import("../fleet/change-services.ts");
        await setRunning(context, names, running, options);
      });
  }

  const failover = fleet
    .command("failover")
    .description("who takes over when the master of a service is lost");
  addPolicy(
    addRemoteOptions(failover.command("set").description("say what happens to a service"))
      .argument("<service>", serviceArgument)
      .addArgument(new Argument("<policy>", "off, serve or strict").choices(policies)),
  ).action(async (name: string, policy: FailoverPolicy, options: FleetFailoverOptions) => {
    const { setFailover } = await import("../fleet/change-services.ts");
    await setFailover(context, name, policy, options);
  });
  addRemoteOptions(
    failover
      .command("resume")
      .description("go on with takeovers after a mass loss was looked into"),
  ).action(async (options: RemoteOptions) => {
    const { resumeFailover } = await import("../fleet/change-services.ts");
    await resumeFailover(context, options);
  });

  addRemoteOptions(
    fleet.command("adopt").description("make services of instances that a master runs by itself"),
  )
    .argument("<master>", "mid or name")
    .argument("<id...>", "ids of its instances, or their aliases")
    .action(async (master: string, instances: readonly string[], options: RemoteOptions) => {
      const { adopt } = await import("../fleet/change-services.ts");
      await adopt(context, master, instances, options);
    });

  addRemoteOptions(
    fleet.command("rm").description("remove services, or masters from the fleet, without asking"),
  )
    .argument("<name...>", "sids or aliases of services, mids or names of masters")
    .option("--stop", "of a master: what it runs for the fleet ends; else it stays, as its own")
    .option("--keep", "of a service: its instances stay, as their masters' own; else they end")
    .action(async (names: readonly string[], options: FleetRemoveOptions) => {
      const { removeFromFleet } = await import("../fleet/remove-from-fleet.ts");
      await removeFromFleet(context, names, options);
    });
}

function addNew(command: Command): Command {
  return addPolicy(
    addRemoteOptions(command)
      .option("--alias <name>", "a name for it")
      .option("--tag <name=value>", "a tag; may be given again", collectTag)
      .option("--no-start", "leave it stopped")
      .addOption(new Option("--failover <policy>", "when its master is lost").choices(policies)),
  ).option(...showKey);
}

function addPolicy(command: Command): Command {
  return command
    .option("--ttl <seconds>", "silence after which a master is lost", parseTtl)
    .option("--failback", "back to the old master when it was well for 10 minutes")
    .option("--no-failback", "stay where it was taken over; the default");
}

/** Which numbers are allowed the hub says. */
function parseTtl(value: string): number {
  if (!/^\d{1,5}s?$/.test(value)) throw new InvalidArgumentError("allowed: whole seconds.");
  return Number.parseInt(value, 10);
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}
