import { createLogger } from "@nodepass/logging";
import { renewMasterKey, stateDirectory, type Variables } from "@nodepass/master-server";

/**
 * Makes a new API key for the stopped master of this environment's state directory.
 *
 * @param stderr takes what is found out about the state, should it be damaged
 * @throws {MasterServerError} `STATE_LOCKED` while the master runs, `STATE_UNUSABLE`
 */
export function renewKey(
  variables: Variables,
  home: string,
  stderr: { write(text: string): unknown },
): Promise<string> {
  const logger = createLogger({ write: (line) => stderr.write(line) });
  return renewMasterKey({ stateDirectory: stateDirectory(variables, home), logger });
}
