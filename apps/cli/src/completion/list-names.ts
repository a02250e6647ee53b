import { profilePath, readProfiles } from "@nodepass/master-client/node";
import type { CliContext } from "../context.ts";
import { openMaster } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";
import type { CompletionSource } from "./command-tree.ts";

/** Names that a shell can put on a command line without quotes. */
const plainName = /^[\w.@+-]+$/;

/** The names of a source, sorted, each once. Throws what its master or file makes it throw. */
export async function listNames(
  context: CliContext,
  source: CompletionSource,
  options: RemoteOptions,
): Promise<string[]> {
  const names =
    source === "profiles"
      ? [...(await readProfiles(profilePath(context.environment))).profiles.keys()]
      : (await (await openMaster(context, options)).client.list()).flatMap(({ id, alias }) => [
          id,
          alias,
        ]);
  return [...new Set(names)].filter((name) => plainName.test(name)).sort();
}
