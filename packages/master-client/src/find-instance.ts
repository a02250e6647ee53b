import { MasterClientError } from "./client-error.ts";
import type { RemoteInstance } from "./remote-instance.ts";

/** Most candidates that a message lists. */
const maxCandidates = 10;

/**
 * Finds the instance that `name` means: a whole id, else the only one with that alias or with an id
 * that starts with it.
 *
 * @throws {MasterClientError} `NOT_FOUND`, with the candidates if there are several
 * @example
 * const { id } = findInstance(await client.list(), "web");
 */
export function findInstance(instances: readonly RemoteInstance[], name: string): RemoteInstance {
  const exact = instances.find(({ id }) => id === name);
  if (exact !== undefined) return exact;
  const candidates = instances.filter(
    ({ id, alias }) => name !== "" && (alias === name || id.startsWith(name)),
  );
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return only;
  if (only === undefined) {
    throw new MasterClientError("NOT_FOUND", `no instance ${JSON.stringify(name)}`, {
      details: ["An instance is named by its id, the beginning of its id, or its alias."],
    });
  }
  const rest = candidates.length - maxCandidates;
  const message = `${JSON.stringify(name)} may be ${candidates.length} instances`;
  throw new MasterClientError("NOT_FOUND", message, {
    details: [
      ...candidates.slice(0, maxCandidates).map(nameInstance),
      ...(rest > 0 ? [`and ${rest} more`] : []),
    ],
  });
}

/**
 * How people see which one is meant: id and alias.
 *
 * @example
 * console.log(nameInstance(instance)); // a1b2c3d4 (web)
 */
export function nameInstance({ id, alias }: RemoteInstance): string {
  return alias === "" ? id : `${id} (${alias})`;
}
