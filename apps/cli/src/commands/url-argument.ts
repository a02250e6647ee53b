import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";

/** Longest text that is read for a URL; url-config refuses longer URLs anyway. */
const maxUrlCharacters = 70_000;
const variable = "NP_URL";

/** The ways to give a URL without showing its key to everybody who can list processes. */
export interface UrlOptions {
  /** A file that holds the URL. */
  readonly file?: string | undefined;
}

/** Adds the argument and the option that {@link readUrlArgument} reads. */
export function addUrlArgument(command: Command, schemes: string): Command {
  return command
    .argument(
      "[url]",
      `${schemes} URL; - reads it from standard input, without one ${variable} has it`,
    )
    .option(
      "--file <path>",
      "read the URL from a file: others can see arguments, and the key in them",
    );
}

/**
 * The URL that is meant: the argument, standard input for `-`, the file, or `NP_URL`. Of standard
 * input and files the first line that is neither empty nor a comment (`#`).
 *
 * @throws {CliError} usage if there is none, or more than one
 */
export async function readUrlArgument(
  { stdin, environment }: Pick<CliContext, "stdin" | "environment">,
  url: string | undefined,
  { file }: UrlOptions,
): Promise<string> {
  if (url !== undefined && file !== undefined) {
    throw new CliError("a URL and --file exclude each other", { exitCode: exitCodes.usage });
  }
  if (file !== undefined) return firstUrl(await readUrlFile(file), file);
  if (url === "-") {
    let text = "";
    stdin.setEncoding("utf8");
    for await (const chunk of stdin) {
      text += chunk;
      if (text.length > maxUrlCharacters) break;
    }
    return firstUrl(text, "standard input");
  }
  const given = url ?? environment[variable];
  if (given !== undefined && given !== "") return given;
  throw new CliError("no URL given", {
    exitCode: exitCodes.usage,
    details: [`allowed: a URL, - for standard input, --file, or the variable ${variable}`],
  });
}

async function readUrlFile(path: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`cannot read the URL: ${reason}`, { cause: error });
  }
}

function firstUrl(text: string, where: string): string {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const url = lines.find((line) => line !== "" && !line.startsWith("#"));
  if (url === undefined) {
    throw new CliError(`no URL in ${where}`, { exitCode: exitCodes.usage });
  }
  return url;
}
