import type { CliContext } from "../context.ts";
import { asCliError, CliError } from "../exit-code.ts";
import { createStyle, hasColour } from "../output/colour.ts";
import { commandName } from "../output/command-name.ts";
import { errorLines } from "../output/error-lines.ts";

/**
 * Does the same for each name, one after the other; a failure keeps none of the others from it.
 *
 * @throws {CliError} the first failure's exit code, when all has been tried and said
 */
export async function forEachName(
  context: CliContext,
  names: readonly string[],
  work: (name: string) => Promise<void>,
): Promise<void> {
  let exitCode: number | undefined;
  for (const name of names) {
    try {
      await work(name);
    } catch (error) {
      const known = asCliError(error);
      if (known === undefined || names.length === 1) throw error;
      const { red } = createStyle(hasColour(context.stderr, context.environment));
      const [first, ...rest] = errorLines(known, commandName(context.environment));
      context.stderr.write([`${red("nodepass:")} ${first}`, ...rest, ""].join("\n"));
      exitCode ??= known.exitCode;
    }
  }
  if (exitCode !== undefined) throw new CliError("", { exitCode });
}
