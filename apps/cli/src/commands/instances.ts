import { type Command, InvalidArgumentError, Option } from "commander";
import type { CliContext } from "../context.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/remote-options.ts";

interface ShowKeyOption {
  readonly showKey?: boolean;
}

interface ListOptions extends RemoteOptions, ShowKeyOption {
  readonly quiet?: boolean;
}

interface CreateOptions extends RemoteOptions, ShowKeyOption {
  readonly alias?: string;
  readonly start: boolean;
  readonly restart?: boolean;
  readonly tag?: Readonly<Record<string, string>>;
}

interface EditOptions extends RemoteOptions, ShowKeyOption {
  readonly url?: string;
  readonly alias?: string;
  readonly restart?: boolean;
  readonly tag?: Readonly<Record<string, string>>;
  readonly untag?: readonly string[];
  readonly peerSid?: string;
  readonly peerType?: string;
  readonly peerAlias?: string;
}

const showKey = ["--show-key", "don't hide the tunnels' keys in URLs"] as const;
const instanceArgument = "id, beginning of an id, or alias";

/** Adds `ls`, `show`, `create` and `edit`: the instances of a master. */
export function addInstanceCommands(program: Command, context: CliContext): void {
  addRemoteOptions(program.command("ls").alias("list").description("list the master's instances"))
    .option("-q, --quiet", "ids only")
    .option(...showKey)
    .action(async (options: ListOptions) => {
      const { listInstances } = await import("../instances/list-instances.ts");
      await listInstances(context, options);
    });

  addRemoteOptions(program.command("show").description("show all of an instance"))
    .argument("<instance>", instanceArgument)
    .option(...showKey)
    .action(async (name: string, options: RemoteOptions & ShowKeyOption) => {
      const { showInstance } = await import("../instances/list-instances.ts");
      await showInstance(context, name, options);
    });

  addRemoteOptions(program.command("create").description("make an instance and start it"))
    .argument("<url>", "server:// or client:// URL of the tunnel")
    .option("--alias <name>", "a name for it")
    .option("--no-start", "leave it stopped, and don't start it with the master either")
    .addOption(new Option("--restart", "start it with the master; the default without --no-start"))
    .option("--no-restart", "don't start it with the master")
    .option("--tag <name=value>", "a tag; may be given again", collectTag)
    .option(...showKey)
    .action(async (url: string, options: CreateOptions) => {
      const { create } = await import("../instances/change-commands.ts");
      const { alias, start, restart = start, tag: tags = {} } = options;
      await create(context, { url, alias, start, restart, tags }, options);
    });

  addRemoteOptions(program.command("edit").description("change an instance"))
    .argument("<instance>", instanceArgument)
    .option("--url <url>", "another URL; restarts the instance")
    .option("--alias <name>", "another name; '' for none")
    .option("--restart", "start it with the master")
    .option("--no-restart", "don't start it with the master")
    .option("--tag <name=value>", "set a tag; may be given again", collectTag)
    .option("--untag <name>", "remove a tag; may be given again", collect)
    .option("--peer-sid <id>", "id of the service that both halves belong to")
    .option("--peer-type <type>", "kind of that service")
    .option("--peer-alias <name>", "name of that service")
    .option(...showKey)
    .action(async (name: string, options: EditOptions) => {
      const { edit } = await import("../instances/change-commands.ts");
      const { url, alias, restart, tag: tags = {}, untag: removedTags = [] } = options;
      const { peerSid: sid, peerType: type, peerAlias } = options;
      const peer = {
        ...(sid === undefined ? {} : { sid }),
        ...(type === undefined ? {} : { type }),
        ...(peerAlias === undefined ? {} : { alias: peerAlias }),
      };
      await edit(context, name, { url, alias, restart, tags, removedTags, peer }, options);
    });
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

function collectTag(
  text: string,
  previous: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError("allowed: name=value.");
  }
  return { ...previous, [name]: value };
}
