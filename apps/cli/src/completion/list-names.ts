import { profilePath, readProfiles } from "@nodepass/master-client/node";
import type { CliContext } from "../context.ts";
import { openFleet, openMaster } from "../remote/open-master.ts";
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
  const names = await namesOf(context, source, options);
  return [...new Set(names)].filter((name) => plainName.test(name)).sort();
}

async function namesOf(
  context: CliContext,
  source: CompletionSource,
  options: RemoteOptions,
): Promise<readonly string[]> {
  switch (source) {
    case "profiles":
      return [...(await readProfiles(profilePath(context.environment))).profiles.keys()];
    case "instances": {
      const instances = await (await openMaster(context, options)).client.list();
      return instances.flatMap(({ id, alias }) => [id, alias]);
    }
    case "masters": {
      const masters = await (await openFleet(context, options)).fleet.masters();
      return masters.flatMap(({ mid, name }) => [mid, name]);
    }
    case "services": {
      const services = await (await openFleet(context, options)).fleet.services();
      return services.flatMap(({ sid, alias }) => [sid, alias]);
    }
  }
}
