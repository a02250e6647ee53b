import { CliError } from "../exit-code.ts";
import { hideKeys } from "./hide-keys.ts";

/**
 * What is said about a failure, without the program's name; the first line says it all.
 *
 * @param command goes into hints, see `commandName`
 */
export function errorLines(error: unknown, command = "nodepass"): string[] {
  const problems = listProblems(error);
  if (problems.length > 1) {
    return [`${problems.length} problems:`, ...problems.map((problem) => `  ${problem}`)];
  }
  const message = problems[0] ?? (error instanceof Error ? error.message : String(error));
  const text = message === "" && error instanceof Error ? error.name : message;
  const lines = error instanceof CliError ? error.details : [];
  const details = lines.map((line) => `  ${typeof line === "string" ? line : line(command)}`);
  return [hideKeys(text.replace(/\s*\n\s*/g, " ")), ...details];
}

/** The messages of an error that lists several problems, such as url-config's. */
function listProblems(error: unknown): string[] {
  if (!(error instanceof Error) || !("problems" in error) || !Array.isArray(error.problems)) {
    return [];
  }
  return error.problems.map((problem: { readonly message?: unknown }) => String(problem.message));
}
