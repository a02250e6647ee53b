import type { FleetRole } from "@nodepass/model/fleet";
import { parseDuration } from "@nodepass/url-config";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { CliContext } from "../context.ts";
import type { DrainOptions, LabelOptions } from "../fleet/change-masters.ts";
import type { TokenCreateOptions } from "../fleet/manage-tokens.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/remote-options.ts";
import { collectTag } from "./tag-option.ts";

// Not the model's own list: that brings its schemas along, and every command would load them.
const roles = ["viewer", "operator", "admin"] as const satisfies readonly FleetRole[];
const masterArgument = "mid, beginning of a mid, or name";

/** Adds `token`, `label` and `drain`: who is in the fleet, and who may do what. */
export function addFleetMembers(fleet: Command, context: CliContext): void {
  const token = fleet.command("token").description("what lets masters in, and people");
  addRemoteOptions(
    token
      .command("create")
      .description(
        "make a token and print it: for a master to join with, or with --role for people",
      ),
  )
    .addOption(
      new Option("--role <role>", "for people: what they may do").choices(roles).conflicts("label"),
    )
    .option("-l, --selector <selector>", "with --role: the masters that it is for; default all")
    .option(
      "--label <name=value>",
      "for masters: a label that they get; may be given again",
      collectTag,
    )
    .option("--uses <number>", "how many may join with it, 1 unless told otherwise", parseUses)
    .option("--ttl <time>", "how long it is good: 1h, 30d; joining 1h, people for ever", parseTtl)
    .option("--note <text>", "what it is for")
    .action(async (options: TokenCreateOptions) => {
      const { createToken } = await import("../fleet/manage-tokens.ts");
      await createToken(context, options);
    });
  addRemoteOptions(
    token.command("ls").description("list the tokens, without their secrets"),
  ).action(async (options: RemoteOptions) => {
    const { listTokens } = await import("../fleet/manage-tokens.ts");
    await listTokens(context, options);
  });
  addRemoteOptions(token.command("rm").description("make tokens useless"))
    .argument("<id...>", "ids of tokens")
    .action(async (ids: readonly string[], options: RemoteOptions) => {
      const { removeTokens } = await import("../fleet/manage-tokens.ts");
      await removeTokens(context, ids, options);
    });

  addRemoteOptions(fleet.command("label").description("name a master, and give it labels"))
    .argument("<master>", masterArgument)
    .argument("[label...]", "name=value or name to set one, name- to remove it")
    .option("--name <name>", "what it is called")
    .option("--address <host>", "host under which its tunnels are reached")
    .action(async (name: string, labels: readonly string[], options: LabelOptions) => {
      const { labelMaster } = await import("../fleet/change-masters.ts");
      await labelMaster(context, name, labels, options);
    });

  addRemoteOptions(
    fleet.command("drain").description("move what may move away from a master; nothing new comes"),
  )
    .argument("<master>", masterArgument)
    .option("--undo", "it may be given services again; what has moved stays where it is")
    .action(async (name: string, options: DrainOptions) => {
      const { drainMaster } = await import("../fleet/change-masters.ts");
      await drainMaster(context, name, options);
    });
}

function parseUses(value: string): number {
  const uses = /^\d{1,6}$/.test(value) ? Number(value) : 0;
  if (uses < 1 || uses > 100_000) {
    throw new InvalidArgumentError("allowed: a whole number from 1 to 100000.");
  }
  return uses;
}

/** Reads a duration, with days too. @returns seconds */
function parseTtl(value: string): number {
  const [, days] = /^(\d{1,4})d$/.exec(value) ?? [];
  const longest = 3650 * 86_400;
  let seconds = Number(days) * 86_400;
  try {
    if (days === undefined) seconds = Math.round(parseDuration(value) / 1000);
  } catch {
    seconds = 0;
  }
  if (!(seconds >= 60 && seconds <= longest)) {
    throw new InvalidArgumentError("allowed: a duration such as 10m, 1h or 30d, from 1m to 3650d.");
  }
  return seconds;
}
