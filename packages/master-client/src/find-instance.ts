import { findNamed, shown } from "./find-named.ts";
import type { RemoteInstance } from "./remote-instance.ts";

/**
 * Finds the instance that `name` means: a whole id, else the only one with that alias or with an id
 * that starts with it.
 *
 * @throws {MasterClientError} `NOT_FOUND`, with the candidates if there are several
 * @example
 * const { id } = findInstance(await client.list(), "web");
 */
export function findInstance(instances: readonly RemoteInstance[], name: string): RemoteInstance {
  return findNamed(instances, name, {
    what: "instance",
    idOf: ({ id }) => id,
    nameOf: ({ alias }) => alias,
    hint: "An instance is named by its id, the beginning of its id, or its alias.",
  });
}

/**
 * How people see which one is meant: id and alias.
 *
 * @example
 * console.log(nameInstance(instance)); // a1b2c3d4 (web)
 */
export function nameInstance({ id, alias }: RemoteInstance): string {
  return shown(id, alias);
}
