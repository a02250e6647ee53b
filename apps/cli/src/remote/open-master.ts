import type { CliContext } from "../context.ts";
import { chooseMaster, type MasterChoice } from "../profiles/choose-master.ts";
import { isReadByOthers, profilePath, readProfiles } from "../profiles/profile-file.ts";
import { createMasterClient, type MasterClient } from "./master-client.ts";
import type { RemoteOptions } from "./remote-options.ts";

/** Opens the master that the options, the environment and the profiles mean. */
export async function openMaster(
  context: CliContext,
  options: RemoteOptions,
): Promise<{ readonly client: MasterClient; readonly choice: MasterChoice }> {
  const path = profilePath(context.environment);
  const choice = chooseMaster(options, context.environment, await readProfiles(path));
  if (choice.profile !== undefined && (await isReadByOthers(path))) {
    context.stderr.write(`nodepass: others can read the keys in ${path}: chmod 600 it\n`);
  }
  const { address, key, trust } = choice;
  return {
    client: createMasterClient({ address, key, trust, timeoutMs: options.timeout }),
    choice,
  };
}
