import { type ActualInstance, type DesiredTunnel, NAME_TAG, OWNER_TAG } from "./desired-state.ts";

/**
 * An instance as something that shall be, for a file: without the marks of who brought it.
 *
 * @example
 * const tunnels = (await client.list()).map(toDesired);
 */
export function toDesired({ id, alias, url, tags, restart }: ActualInstance): DesiredTunnel {
  const own = Object.entries(tags).filter(([name]) => name !== OWNER_TAG && name !== NAME_TAG);
  const name = tags[NAME_TAG] ?? (alias === "" ? id : alias);
  return { name, url, tags: Object.fromEntries(own), start: restart };
}
