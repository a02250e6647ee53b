import { parseDuration } from "@nodepass/url-config";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { CliContext } from "../context.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/remote-options.ts";
import { sortOrders } from "../top/instance-board.ts";
import type { RunTopOptions } from "../top/run-top.ts";
import type { FollowLogsOptions } from "../watch/follow-logs.ts";
import { collectTagFilter } from "./tag-option.ts";

/** Adds `logs`, `events` and `top`: what happens at a master. */
export function addWatchCommands(program: Command, context: CliContext): void {
  addRemoteOptions(
    program.command("logs").description("show the kept log lines of instances, or follow them"),
  )
    .argument("[instance...]", "ids, beginnings of ids, or aliases; all without")
    .option("-f, --follow", "go on with the lines that come; so it does without --tail and --since")
    .option("--tail <lines>", "the last so many that the master has kept", parseTail)
    .option(
      "--since <time>",
      "kept ones since then: 10m, 2h, or a time as 2026-01-02T03:04:05Z",
      parseSince,
    )
    .option(
      "--tag <name[=value]>",
      "of instances with this tag; may be given again",
      collectTagFilter,
    )
    .action(async (names: readonly string[], options: FollowLogsOptions) => {
      const { followLogs } = await import("../watch/follow-logs.ts");
      await followLogs(context, names, options);
    });

  addRemoteOptions(program.command("events").description("follow all that happens at the master"))
    .addOption(
      new Option(
        "--type <type>",
        `${eventTypes.join(", ")}: only these; may be given again`,
      ).argParser(collectType),
    )
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

/** All that a master tells. */
const eventTypes = ["initial", "create", "update", "delete", "log", "shutdown"];

function collectType(value: string, previous: readonly string[] = []): readonly string[] {
  if (!eventTypes.includes(value)) {
    throw new InvalidArgumentError(`allowed: ${eventTypes.join(", ")}.`);
  }
  return [...previous, value];
}

const maxTail = 10_000;

function parseTail(value: string): number {
  const lines = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!(lines <= maxTail)) {
    throw new InvalidArgumentError(`allowed: a whole number from 0 to ${maxTail}.`);
  }
  return lines;
}

/** Reads a time, or how long ago it was. @returns milliseconds since 1970 */
function parseSince(value: string): number {
  const time = /^\d{4}-\d{2}-\d{2}/.test(value) ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  try {
    return Date.now() - parseDuration(value);
  } catch {
    throw new InvalidArgumentError(
      "allowed: a duration such as 90s or 1h30m, or an RFC 3339 time.",
    );
  }
}

/** Reads seconds. @returns milliseconds */
function parsePeriod(value: string): number {
  const milliseconds = /^\d+(?:\.\d+)?$/.test(value) ? Math.round(Number(value) * 1000) : 0;
  if (milliseconds < 200 || milliseconds > 3_600_000) {
    throw new InvalidArgumentError("allowed: seconds from 0.2 to 3600.");
  }
  return milliseconds;
}
