import { type HostPort, parseHostPort } from "@nodepass/url-config";
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import type { CliContext } from "../context.ts";
import type { FleetInitOptions } from "../fleet/init/init-fleet.ts";
import type { FleetRebuildOptions } from "../fleet/rebuild.ts";
import type { FleetRotateOptions, RotatedKey } from "../fleet/rotate-keys.ts";
import type { FleetHubCommandOptions } from "../fleet/run-hub.ts";
import type { FleetExportOptions } from "../fleet/transfer.ts";
import { logFormatOption } from "../output/log-format.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/remote-options.ts";
import { parsePort } from "./parse-port.ts";

const rotatedKeys = [
  "data",
  "box",
  "members",
  "hubs",
  "operator",
] as const satisfies readonly RotatedKey[];

const initNotes = `
Nothing is started, and nothing is overwritten. The folder is a hub's (nodepass fleet hub DIR) and the
nats-servers': files that only you can read. Standard output is the first admin token and nothing else.
`;

const rotateNotes = `
token is the first admin token, the one that init has shown: a store that is lost and made anew has it
again, also after fleet token rm. With another one in fleet.json the former is good nowhere.
`;

/** Adds `init`, `hub`, `export` and `import`. */
export function addFleetFiles(fleet: Command, context: CliContext): void {
  fleet
    .command("init")
    .description(
      "write all that a new fleet needs into a folder: keys, certificates, files to run it",
    )
    .argument("<dir>", "folder that is empty or not there")
    .requiredOption(
      "--name <name>",
      "of the fleet: 1 to 32 lower-case letters, digits, inner hyphens",
    )
    .requiredOption(
      "--host <host>",
      "name or address under which masters and people reach it; with 3 servers perhaps one each",
      collect,
    )
    .addOption(
      new Option("--servers <number>", "nats-servers, and hubs: 1, or 3 of which one may die")
        .choices(["1", "3"])
        .argParser(parseServers)
        .default(1),
    )
    .addOption(
      new Option("--tls <how>", "own makes an authority for it; files takes --crt and --crt-key")
        .choices(["own", "files", "none"])
        .default("own"),
    )
    .option("--crt <file>", "certificate chain for the host names, PEM")
    .option("--crt-key <file>", "its key, PEM")
    .option(
      "--gateway <suffix>",
      "MID.<suffix> leads to a master; for dashboards, by a wildcard name",
    )
    .option(
      "--listen <address>",
      "IP address that all listens on; host: that of --host itself",
      "0.0.0.0",
    )
    .option("--port <number>", "of the hubs' API", parsePort, 9443)
    .option("--engine-port <number>", "of the engine", parsePort, 4222)
    .option("--websocket-port <number>", "of the engine as WebSocket", parsePort, 443)
    .option(
      "--monitor-port <number>",
      "of the engine's own pages, on 127.0.0.1; 0: none",
      parsePort,
      8222,
    )
    .addHelpText("after", initNotes)
    .action(async (directory: string, options: FleetInitOptions) => {
      const { initFleet } = await import("../fleet/init/init-fleet.ts");
      await initFleet(context, directory, options);
    });

  fleet
    .command("hub")
    .description("run a hub of the fleet whose folder this is, until it is stopped")
    .argument("<dir>", "folder of fleet init: fleet.json, hub.json")
    .option("--listen <address>", "host:port of its API, in place of hub.json's", parseAddress)
    .option("--id <name>", "what it is called; default: hub- and eight digits")
    .option(
      "--exports <folder>",
      "where it writes an export each hour; default: exports/ in the folder",
    )
    .addOption(
      new Option("--log <level>", "least level of log lines")
        .choices(["debug", "info", "warn", "error", "none"])
        .default("info"),
    )
    .addOption(logFormatOption())
    .action(async (directory: string, options: FleetHubCommandOptions) => {
      const { runHub } = await import("../fleet/run-hub.ts");
      await runHub(context, directory, options);
    });

  fleet
    .command("rotate")
    .description("make a new key in a fleet's folder, and say what has to be restarted")
    .argument("<dir>", "folder of fleet init")
    .addArgument(
      new Argument(
        "<key>",
        "of records, of messages (box), of members' or hubs' JWTs, of the account",
      ).choices([...rotatedKeys, "token"]),
    )
    .option("--operator-seed <file>", "with operator: keep-elsewhere/operator.seed")
    .option("--retire", "with data, members, hubs: no new key, but the former one is good no more")
    .option("--force", "with --retire: also while something needs it still")
    .addHelpText("after", rotateNotes)
    .action(async (directory: string, which: RotatedKey | "token", options: FleetRotateOptions) => {
      if (which === "token") {
        const { replaceFirstToken } = await import("../fleet/replace-first-token.ts");
        await replaceFirstToken(context, directory);
        return;
      }
      const { rotateKey } = await import("../fleet/rotate-keys.ts");
      await rotateKey(context, directory, which, options);
    });

  addRemoteOptions(
    fleet.command("export").description("write all services as a signed file, keys included"),
  )
    .option("--to <file>", "write to a new file that only you can read")
    .option(
      "--nodepassdash",
      "in place of that the file with which NodePassDash imports the masters",
    )
    .action(async (options: FleetExportOptions) => {
      const { exportFleet } = await import("../fleet/transfer.ts");
      await exportFleet(context, options);
    });

  addRemoteOptions(
    fleet.command("import").description("make what an export has and the fleet has not"),
  )
    .argument("<file>", "an export; - reads standard input")
    .action(async (file: string, options: RemoteOptions) => {
      const { importFleet } = await import("../fleet/transfer.ts");
      await importFleet(context, file, options);
    });

  addRemoteOptions(
    fleet.command("restore").description("bring an export back into a fleet whose store is new"),
  )
    .argument("<file>", "an export; - reads standard input")
    .action(async (file: string, options: RemoteOptions) => {
      const { restoreFleet } = await import("../fleet/transfer.ts");
      await restoreFleet(context, file, options);
    });

  addRemoteOptions(
    fleet
      .command("rebuild")
      .description("without an export: make services of what masters run and a fleet once made"),
  )
    .option("--dry-run", "only say what would be made")
    .action(async (options: FleetRebuildOptions) => {
      const { rebuildFleet } = await import("../fleet/rebuild.ts");
      await rebuildFleet(context, options);
    });
}

function parseAddress(value: string): HostPort {
  try {
    return parseHostPort(value);
  } catch {
    throw new InvalidArgumentError("allowed: host:port, :port or [IPv6]:port.");
  }
}

function parseServers(value: string): 1 | 3 {
  if (value === "1") return 1;
  if (value === "3") return 3;
  throw new InvalidArgumentError("allowed: 1, 3.");
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}
