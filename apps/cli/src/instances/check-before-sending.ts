import { checkUrl } from "@nodepass/url-config";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit-code.ts";
import { createStyle, hasColour } from "../output/colour.ts";
import { keygenHint } from "../output/command-name.ts";
import { hideKeys } from "../output/hide-keys.ts";
import { plainText } from "../output/terminal-text.ts";

/**
 * Looks at a URL as `check` does before a master is asked to run it: masters take what they don't
 * understand for the default. Warnings go to standard error.
 *
 * @returns these warnings
 * @throws {CliError} with every problem, unless `force`
 */
export function checkBeforeSending(
  context: CliContext,
  url: string,
  { force = false }: { readonly force?: boolean | undefined },
): readonly string[] {
  // The limits of this machine's environment are none of the master's.
  const keygen = keygenHint(context.environment);
  const { problems, warnings } = checkUrl(url, {}, { keygen });
  if (problems.length > 0 && !force) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    throw new CliError(`${count}, nothing was sent`, {
      details: [...problems, "--force sends it all the same"],
    });
  }
  const isMaster = /^master:/i.test(url);
  if (isMaster && !force) {
    throw new CliError("a master runs server:// and client:// URLs, not master://");
  }
  sayWarnings(context, warnings);
  return warnings;
}

/**
 * Shows what a master overlooked in a URL, as its answer tells.
 *
 * @param said what has been said of the URL already
 */
export function sayOverlooked(
  context: CliContext,
  answer: { readonly raw: Readonly<Record<string, unknown>> },
  said: readonly string[],
): void {
  const { warnings } = answer.raw;
  if (!Array.isArray(warnings)) return;
  const more = warnings.map(String).filter((text) => !said.includes(text));
  sayWarnings(
    context,
    more.map((text) => `the master: ${plainText(hideKeys(text))}`),
  );
}

/** Says warnings, one a line. */
export function sayWarnings(context: CliContext, warnings: readonly string[]): void {
  const { yellow } = createStyle(hasColour(context.stderr, context.environment));
  for (const text of warnings) context.stderr.write(`${yellow("warning:")} ${text}\n`);
}
