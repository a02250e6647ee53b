import { type Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/remote-options.ts";
import { collectTag, collectTagFilter } from "./tag-option.ts";
import { addUrlArgument, readUrlArgument, type UrlOptions } from "./url-argument.ts";

interface ShowKeyOption {
  readonly showKey?: boolean;
}

interface ListOptions extends RemoteOptions, ShowKeyOption {
  readonly watch?: boolean;
  readonly tag?: Readonly<Record<string, string | undefined>>;
  readonly quiet?: boolean;
}

interface CreateOptions extends RemoteOptions, ShowKeyOption, UrlOptions {
  readonly force?: boolean;
  readonly alias?: string;
  readonly start: boolean;
  readonly restart?: boolean;
  readonly tag?: Readonly<Record<string, string>>;
}

interface EditOptions extends RemoteOptions, ShowKeyOption {
  readonly force?: boolean;
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
const force = ["--force", "send a URL that check finds fault with"] as const;
const instanceArgument = "id, beginning of an id, or alias";

/** Adds `ls`, `show`, `create` and `edit`: the instances of a master. */
export function addInstanceCommands(program: Command, context: CliContext): void {
  addRemoteOptions(program.command("ls").alias("list").description("list the master's instances"))
    .option("-q, --quiet", "ids only")
    .option("--tag <name[=value]>", "only with this tag; may be given again", collectTagFilter)
    .option("-w, --watch", "print the list again whenever something in it has changed")
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

  const make = program.command("create").description("make an instance and start it");
  addRemoteOptions(addUrlArgument(make, "server:// or client://"))
    .option(...force)
    .option("--alias <name>", "a name for it")
    .option("--no-start", "leave it stopped, and don't start it with the master either")
    .addOption(new Option("--restart", "start it with the master; the default without --no-start"))
    .option("--no-restart", "don't start it with the master")
    .option("--tag <name=value>", "a tag; may be given again", collectTag)
    .option(...showKey)
    .action(async (argument: string | undefined, options: CreateOptions) => {
      const { create } = await import("../instances/change-commands.ts");
      const { alias, start, restart = start, tag: tags = {} } = options;
      const url = await readUrlArgument(context, argument, options);
      await create(context, { url, alias, start, restart, tags }, options);
    });

  addRemoteOptions(program.command("edit").description("change an instance"))
    .argument("<instance>", instanceArgument)
    .option("--url <url>", "another URL; - reads it from standard input")
    .option(...force)
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
      const { alias, restart, tag: tags = {}, untag: removedTags = [] } = options;
      const { peerSid: sid, peerType: type, peerAlias } = options;
      const url = options.url === "-" ? await readUrlArgument(context, "-", {}) : options.url;
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
