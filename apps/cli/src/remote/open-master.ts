import { type Command, InvalidArgumentError, Option } from "commander";
import type { CliContext } from "../context.ts";
import { chooseMaster, type MasterChoice, type MasterOptions } from "../profiles/choose-master.ts";
import { isReadByOthers, profilePath, readProfiles } from "../profiles/profile-file.ts";
import { createMasterClient, type MasterClient } from "./master-client.ts";
import { parseFingerprint } from "./trust.ts";

/** Options of every command that asks a master. */
export interface RemoteOptions extends MasterOptions {
  /** Longest wait for an answer, ms. */
  readonly timeout: number;
  readonly json?: boolean | undefined;
}

const defaultTimeoutMs = 15_000;
/** The longest that a timer of Node can wait. */
const maxTimeoutMs = 2 ** 31 - 1;

/** Adds the options of commands that ask a master. */
export function addRemoteOptions(command: Command): Command {
  return command
    .option("--master <url>", "the master: http(s)://host:port[/prefix] or its master:// URL")
    .option("--key <key>", "its API key; better NP_API_KEY, others can see arguments")
    .option("--profile <name>", "a master saved with login")
    .option("--insecure", "trust any certificate of the master")
    .option("--pin <sha256>", "trust the certificate with this fingerprint only", parseFingerprint)
    .addOption(
      new Option("--timeout <seconds>", "longest wait for an answer")
        .argParser(parseTimeout)
        .default(defaultTimeoutMs, "15"),
    )
    .option("--json", "print JSON");
}

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

/** Reads seconds. @returns milliseconds */
export function parseTimeout(value: string): number {
  const milliseconds = /^\d+(?:\.\d+)?s?$/.test(value) ? Number.parseFloat(value) * 1000 : 0;
  if (milliseconds < 1 || milliseconds > maxTimeoutMs) {
    throw new InvalidArgumentError("allowed: seconds, more than 0.");
  }
  return Math.round(milliseconds);
}
