import type { LoadedConfig } from "@nodepass/config-file";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit-code.ts";

/**
 * Reads configuration files.
 *
 * @param options.fleet tunnels may say where in a fleet they run
 * @throws {CliError} with a line for each fault: file, line, column, what is wrong, what is allowed
 */
export async function loadFiles(
  context: CliContext,
  paths: readonly string[],
  options: { readonly fleet?: boolean } = {},
): Promise<LoadedConfig> {
  const { ConfigFileError, formatProblem, loadConfig } = await import("@nodepass/config-file");
  try {
    return loadConfig(paths, { environment: context.environment, ...options });
  } catch (error) {
    if (!(error instanceof ConfigFileError)) throw error;
    const [first = "", ...rest] = error.problems.map(formatProblem);
    throw new CliError(first, { details: rest, cause: error });
  }
}
