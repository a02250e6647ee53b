import { type Command, InvalidArgumentError, Option } from "commander";
import type { CliContext } from "../context.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/remote-options.ts";
import { sortOrders } from "../top/instance-board.ts";
import type { RunTopOptions } from "../top/run-top.ts";

/** Adds `logs`, `events` and `top`: what happens at a master. */
export function addWatchCommands(program: Command, context: CliContext): void {
  addRemoteOptions(program.command("logs").description("follow the logs of instances"))
    .argument("[instance...]", "ids, beginnings of ids, or aliases; all without")
    .option("-f, --follow", "what it does anyway: masters keep no old lines")
    .action(async (names: readonly string[], options: RemoteOptions) => {
      const { followLogs } = await import("../watch/follow-logs.ts");
      await followLogs(context, names, options);
    });

  addRemoteOptions(program.command("events").description("follow all that happens at the master"))
    .option("--type <type>", "events of this type only; may be given again", collect)
    .option("--show-key", "don't hide the tunnels' keys in URLs")
    .action(async (options: RemoteOptions & { type?: readonly string[]; showKey?: boolean }) => {
      const { printEvents } = await import("../watch/print-events.ts");
      await printEvents(context, options);
    });

  addRemoteOptions(
    program.command("top").description("watch rates, connections, pools and pings of instances"),
  )
    .addOption(
      new Option("--interval <seconds>", "time between two looks where events don't tell")
        .argParser(parsePeriod)
        .default(2000, "2"),
    )
    .addOption(new Option("--sort <order>", "what comes first").choices(sortOrders).default("rate"))
    .action(async (options: RunTopOptions) => {
      const { runTop } = await import("../top/run-top.ts");
      await runTop(context, options);
    });
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

/** Reads seconds. @returns milliseconds */
function parsePeriod(value: string): number {
  const milliseconds = /^\d+(?:\.\d+)?$/.test(value) ? Math.round(Number(value) * 1000) : 0;
  if (milliseconds < 200 || milliseconds > 3_600_000) {
    throw new InvalidArgumentError("allowed: seconds from 0.2 to 3600.");
  }
  return milliseconds;
}
