import { findInstance, type MasterClient, type RemoteInstance } from "@nodepass/master-client";
import type { CliContext } from "../context.ts";
import { asCliError, CliError } from "../exit-code.ts";
import { createStyle, hasColour } from "../output/colour.ts";
import { commandName } from "../output/command-name.ts";
import { errorLines } from "../output/error-lines.ts";

/** The instances that names mean, each once, in the order of the names. */
export async function findInstances(
  client: MasterClient,
  names: readonly string[],
): Promise<RemoteInstance[]> {
  const all = await client.list();
  return [...new Set(names.map((name) => findInstance(all, name)))];
}

/**
 * Does the same to each instance, one after the other; a failure does not keep the rest from it.
 *
 * @returns what became of those that went well
 * @throws {CliError} the first failure's exit code, when all has been tried and said
 */
export async function forEachInstance<T>(
  context: CliContext,
  instances: readonly RemoteInstance[],
  work: (instance: RemoteInstance) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let exitCode: number | undefined;
  for (const instance of instances) {
    try {
      results.push(await work(instance));
    } catch (error) {
      const known = asCliError(error);
      if (known === undefined || instances.length === 1) throw error;
      const { red } = createStyle(hasColour(context.stderr, context.environment));
      const [first, ...rest] = errorLines(known, commandName(context.environment));
      context.stderr.write([`${red("nodepass:")} ${first}`, ...rest, ""].join("\n"));
      exitCode ??= known.exitCode;
    }
  }
  if (exitCode !== undefined) throw new CliError("", { exitCode });
  return results;
}
