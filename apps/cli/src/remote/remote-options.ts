import { parseFingerprint } from "@nodepass/master-client/node";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { MasterOptions } from "../profiles/choose-master.ts";

/** Which master is asked, and how. */
export interface AskOptions extends MasterOptions {
  /** Longest wait for an answer, ms. */
  readonly timeout: number;
}

/** Options of every command that asks a master and shows what it says. */
export interface RemoteOptions extends AskOptions {
  readonly json?: boolean | undefined;
  /** How results are written; `json` is set too where it is not for people. */
  readonly output?: OutputFormat | undefined;
}

/** The forms of results. */
const outputFormats = ["table", "wide", "json", "yaml"] as const;
export type OutputFormat = (typeof outputFormats)[number];

const defaultTimeoutMs = 15_000;
/** The longest that a timer of Node can wait. */
const maxTimeoutMs = 2 ** 31 - 1;

/** Adds the options that say which master is asked. */
export function addAskOptions(command: Command): Command {
  return command
    .option(
      "-m, --master <master>",
      "http(s)://host:port[/prefix], its master:// URL, a profile, or MASTER@FLEET through a hub",
    )
    .option(
      "--key <key>",
      "its API key; others can see it, so better NP_API_KEY, used where no profile is",
    )
    .option("--profile <name>", "a master saved with login")
    .option("--insecure", "trust any certificate of the master")
    .option("--pin <sha256>", "trust the certificate with this fingerprint only", parsePin)
    .addOption(timeoutOption());
}

/** How long an answer is waited for. */
export function timeoutOption(): Option {
  return new Option("--timeout <seconds>", "longest wait for an answer")
    .argParser(parseTimeout)
    .default(defaultTimeoutMs, "15");
}

/** Adds the options of commands that ask a master and show what it says. */
export function addRemoteOptions(command: Command): Command {
  return addAskOptions(command)
    .addOption(
      new Option("-o, --output <format>", "how results are written; wide shows more columns")
        .choices(outputFormats)
        .conflicts("json"),
    )
    .option("--json", "print JSON, as -o json")
    .hook("preAction", (_program, action) => {
      const { output } = action.opts<RemoteOptions>();
      if (output === "json" || output === "yaml") action.setOptionValue("json", true);
    });
}

/** Reads a fingerprint. */
export function parsePin(value: string): string {
  try {
    return parseFingerprint(value);
  } catch {
    throw new InvalidArgumentError("allowed: a SHA-256 fingerprint, 64 hexadecimal digits.");
  }
}

/** Reads seconds. @returns milliseconds */
function parseTimeout(value: string): number {
  const milliseconds = /^\d+(?:\.\d+)?s?$/.test(value) ? Number.parseFloat(value) * 1000 : 0;
  if (milliseconds < 1 || milliseconds > maxTimeoutMs) {
    throw new InvalidArgumentError("allowed: seconds, more than 0.");
  }
  return Math.round(milliseconds);
}
