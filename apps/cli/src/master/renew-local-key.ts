import { homedir } from "node:os";
import { createLogger } from "@nodepass/logging";
import { renewMasterKey, stateDirectory } from "@nodepass/master-server";
import type { CliContext } from "../context.ts";
import { type DataOptions, printData } from "../output/print.ts";

/**
 * Runs `nodepass key renew --local`: needs no key, but the state directory of a stopped master.
 *
 * @throws {MasterServerError} `STATE_LOCKED` while the master runs, `STATE_UNUSABLE`
 */
export async function renewLocalKey(
  context: CliContext,
  { json, output }: { readonly json?: boolean | undefined } & DataOptions,
): Promise<void> {
  const key = await renewMasterKey({
    stateDirectory: stateDirectory(context.environment, homedir()),
    logger: createLogger({ write: (line) => context.stderr.write(line) }),
  });
  if (json === true) await printData(context, { key }, { output });
  else context.stdout.write(`${key}\n`);
}
