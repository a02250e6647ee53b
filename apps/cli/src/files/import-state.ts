import { homedir } from "node:os";
import { createLogger } from "@nodepass/logging";
import {
  createMasterClient,
  type MasterClient,
  parseMasterAddress,
  type RemoteInstance,
} from "@nodepass/master-client";
import { createNodeFetch } from "@nodepass/master-client/node";
import { importState, type KeptState, stateDirectory } from "@nodepass/master-server";
import { totalsOf } from "@nodepass/model";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";
import { printData } from "../output/print.ts";

/** Where the state comes from, if not from a file. */
export interface ImportOptions {
  readonly from?: string | undefined;
  readonly key?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/**
 * Runs `nodepass import`: makes the state of this user's master, which has none yet.
 *
 * @throws {MasterServerError} `IMPORT_FAILED`, `STATE_LOCKED`, `STATE_UNUSABLE`
 */
export async function importMaster(
  context: CliContext,
  file: string | undefined,
  options: ImportOptions,
): Promise<void> {
  const { from } = options;
  if ((file === undefined) === (from === undefined)) {
    throw new CliError("give a file of the Go program, or a master with --from", {
      exitCode: exitCodes.usage,
    });
  }
  if (file !== undefined && /\.(?:ya?ml|json)$/i.test(file)) {
    throw new CliError(`${file} is no nodepass.gob, the state of the Go program`, {
      exitCode: exitCodes.usage,
      details: [(command) => `A master that runs takes such a file by ${command} apply -f <file>`],
    });
  }
  const directory = stateDirectory(context.environment, homedir());
  const instances = await importState({
    stateDirectory: directory,
    from: file ?? (await keptBy(from ?? "", context, options)),
    logger: createLogger({ write: (line) => context.stderr.write(line) }),
  });
  if (options.json === true) {
    await printData(context, { instances, stateDirectory: directory }, {});
  } else context.stdout.write(`${instances} instances are in ${directory}: start the master\n`);
}

async function keptBy(
  master: string,
  { environment }: CliContext,
  { key = environment.NP_API_KEY ?? "", insecure }: ImportOptions,
): Promise<KeptState> {
  if (key === "") {
    throw new CliError(`no API key for the master at ${master}`, {
      exitCode: exitCodes.unauthorized,
      details: ["Give it with --key or NP_API_KEY."],
    });
  }
  const client: MasterClient = createMasterClient({
    address: parseMasterAddress(master),
    key,
    fetch: createNodeFetch({ kind: insecure === true ? "any" : "system" }),
  });
  const { mid, alias } = await client.info();
  return {
    apiKey: key,
    masterId: typeof mid === "string" && /^[0-9a-f]{16}$/.test(mid) ? mid : undefined,
    alias: typeof alias === "string" ? alias : "",
    instances: (await client.list()).map(toRecord),
  };
}

function toRecord(instance: RemoteInstance): KeptState["instances"][number] {
  const { id, alias, type, url, restart, status, peer, tags } = instance;
  if (type !== "server" && type !== "client") {
    throw new CliError(`the instance ${id} is neither a server nor a client`);
  }
  const meta = { peer: { ...peer }, tags: { ...tags } };
  const running = status !== "stopped";
  return { id, alias, type, url, restart, running, meta, ...totalsOf((name) => instance[name]) };
}
