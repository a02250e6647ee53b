import type { CliContext } from "../context.ts";
import { asCliError, CliError } from "../exit-code.ts";
import { createStyle, hasColour } from "./colour.ts";
import { commandName } from "./command-name.ts";
import { errorLines } from "./error-lines.ts";

/**
 * Does the same to each thing, one after the other; neither a failure nor what was a problem before
 * keeps the rest from it.
 *
 * @param problems of names that meant nothing
 * @throws {CliError} the first failure's exit code, when all has been tried and said; of a single thing
 *   its failure
 */
export async function tryEach<Thing>(
  context: CliContext,
  things: readonly Thing[],
  work: (thing: Thing) => Promise<void>,
  problems: readonly CliError[] = [],
): Promise<void> {
  const isOnlyOne = things.length + problems.length === 1;
  let exitCode: number | undefined;
  const say = (error: CliError) => {
    if (isOnlyOne) throw error;
    const { red } = createStyle(hasColour(context.stderr, context.environment));
    const [first, ...rest] = errorLines(error, commandName(context.environment));
    context.stderr.write([`${red("nodepass:")} ${first}`, ...rest, ""].join("\n"));
    exitCode ??= error.exitCode;
  };
  for (const problem of problems) say(problem);
  for (const thing of things) {
    try {
      await work(thing);
    } catch (error) {
      const known = asCliError(error);
      if (known === undefined) throw error;
      say(known);
    }
  }
  if (exitCode !== undefined) throw new CliError("", { exitCode });
}
