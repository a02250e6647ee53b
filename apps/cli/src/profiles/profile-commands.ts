import {
  type ApiOptions,
  createMasterClient,
  MasterClientError,
  parseMasterAddress,
} from "@nodepass/master-client";
import {
  createNodeFetch,
  type ProfileBook,
  profilePath,
  readProfiles,
  type Trust,
  writeProfiles,
} from "@nodepass/master-client/node";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";
import { printData, printTable } from "../output/print.ts";
import { plainText } from "../output/terminal-text.ts";
import { readSecret } from "./read-secret.ts";

/** Options of `nodepass login`. */
export interface LoginOptions {
  readonly master: string;
  readonly key?: string;
  readonly insecure?: boolean;
  readonly pin?: string;
  readonly timeout: number;
  readonly check: boolean;
}

/** Runs `nodepass login`: asks the master whether the key is good, then saves both. */
export async function login(
  context: CliContext,
  name: string,
  options: LoginOptions,
): Promise<void> {
  const { insecure = false, pin } = options;
  if (insecure && pin !== undefined) {
    throw new CliError("--insecure and --pin exclude each other", { exitCode: exitCodes.usage });
  }
  const address = parseMasterAddress(options.master);
  const path = profilePath(context.environment);
  const book = await readProfiles(path);
  const key =
    options.key ||
    context.environment.NP_API_KEY ||
    (await readSecret(context, `API key of ${address.origin}: `));
  if (key === "") throw new CliError("no API key given", { exitCode: exitCodes.unauthorized });
  if (options.check) {
    const trust: Trust =
      pin === undefined ? { kind: insecure ? "any" : "system" } : { kind: "pin", fingerprint: pin };
    await checkKey({ address, key, fetch: createNodeFetch(trust), timeoutMs: options.timeout });
  }
  // The address is kept without the rest of a master:// URL.
  const master = `${address.origin}${address.basePaths.at(-1) ?? ""}`;
  const profiles = new Map([...book.profiles, [name, { master, key, insecure, pin }]]);
  await writeProfiles(path, { current: name, profiles });
  context.stdout.write(`saved ${master} as ${plainText(name)} in ${path}\n`);
}

/** Asks a master, or the hub of a fleet, whether the key is good. */
async function checkKey(access: ApiOptions): Promise<void> {
  try {
    await createMasterClient(access).info();
  } catch (error) {
    // An API that has no such thing to tell may be a hub's.
    if (!(error instanceof MasterClientError && error.code === "NOT_FOUND")) throw error;
    const { createFleetClient } = await import("@nodepass/master-client/fleet");
    await createFleetClient(access).info();
  }
}

/** Runs `nodepass profile ls`; keys are not shown. */
export async function listProfiles(
  context: CliContext,
  options: { readonly json?: boolean },
): Promise<void> {
  const book = await readProfiles(profilePath(context.environment));
  const rows = [...book.profiles].map(([name, { master, insecure, pin }]) => ({
    name,
    current: name === book.current,
    master,
    certificate: pin === undefined ? (insecure ? "any" : "trusted") : `pinned ${pin}`,
  }));
  if (options.json === true) {
    await printData(context, rows, {});
    return;
  }
  printTable(
    context,
    [
      { title: "", cell: ({ current }) => (current ? "*" : " ") },
      { title: "NAME", cell: ({ name }) => plainText(name) },
      { title: "MASTER", cell: ({ master }) => plainText(master) },
      { title: "CERTIFICATE", cell: ({ certificate }) => plainText(certificate) },
    ],
    rows,
  );
}

/** Runs `nodepass profile use`. */
export async function useProfile(context: CliContext, name: string): Promise<void> {
  const path = profilePath(context.environment);
  const book = await readProfiles(path);
  checkKnown(book, name);
  await writeProfiles(path, { ...book, current: name });
}

/** Runs `nodepass profile rm`. */
export async function removeProfile(context: CliContext, name: string): Promise<void> {
  const path = profilePath(context.environment);
  const book = await readProfiles(path);
  checkKnown(book, name);
  const profiles = new Map([...book.profiles].filter(([each]) => each !== name));
  await writeProfiles(path, {
    current: book.current === name ? undefined : book.current,
    profiles,
  });
}

function checkKnown({ profiles }: ProfileBook, name: string): void {
  if (profiles.has(name)) return;
  const known = [...profiles.keys()].map(plainText).join(", ") || "none";
  throw new CliError(`no profile ${JSON.stringify(name)}`, { details: [`saved: ${known}`] });
}
