import { createMasterClient, type MasterClient } from "@nodepass/master-client";
import {
  createNodeFetch,
  isReadByOthers,
  profilePath,
  readProfiles,
} from "@nodepass/master-client/node";
import type { CliContext } from "../context.ts";
import { chooseMaster, type MasterChoice } from "../profiles/choose-master.ts";
import type { AskOptions } from "./remote-options.ts";

/** Opens the master that the options, the environment and the profiles mean. */
export async function openMaster(
  context: CliContext,
  options: AskOptions,
): Promise<{ readonly client: MasterClient; readonly choice: MasterChoice }> {
  const path = profilePath(context.environment);
  const choice = chooseMaster(options, context.environment, await readProfiles(path));
  if (choice.profile !== undefined && (await isReadByOthers(path))) {
    context.stderr.write(`nodepass: others can read the keys in ${path}: chmod 600 it\n`);
  }
  const { address, key, trust } = choice;
  return {
    client: createMasterClient({
      address,
      key,
      fetch: createNodeFetch(trust),
      timeoutMs: options.timeout,
    }),
    choice,
  };
}
