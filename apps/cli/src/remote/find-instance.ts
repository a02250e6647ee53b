import { CliError, exitCodes } from "../exit-code.ts";
import { plainText } from "../output/terminal-text.ts";
import type { RemoteInstance } from "./instance.ts";

/** Most candidates that a message lists. */
const maxCandidates = 10;

/**
 * Finds the instance that `name` means: a whole id, else the only one with that alias or with an id
 * that starts with it.
 *
 * @throws {CliError} not found, with the candidates if there are several
 */
export function findInstance(instances: readonly RemoteInstance[], name: string): RemoteInstance {
  const exact = instances.find(({ id }) => id === name);
  if (exact !== undefined) return exact;
  const candidates = instances.filter(
    ({ id, alias }) => name !== "" && (alias === name || id.startsWith(name)),
  );
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return only;
  const shown = plainText(name);
  const { notFound: exitCode } = exitCodes;
  if (only === undefined) {
    const details = ["An instance is named by its id, the beginning of its id, or its alias."];
    throw new CliError(`no instance ${JSON.stringify(shown)}`, { exitCode, details });
  }
  const rest = candidates.length - maxCandidates;
  throw new CliError(`${JSON.stringify(shown)} may be ${candidates.length} instances`, {
    exitCode,
    details: [
      ...candidates.slice(0, maxCandidates).map(nameInstance),
      ...(rest > 0 ? [`and ${rest} more`] : []),
    ],
  });
}

/** How people see which one is meant: id and alias. */
export function nameInstance({ id, alias }: RemoteInstance): string {
  return alias === "" ? plainText(id) : `${plainText(id)} (${plainText(alias)})`;
}
