import { act } from "./act.ts";
import { MasterClientError } from "./client-error.ts";
import { nameInstance } from "./find-instance.ts";
import type { MasterClient, RemoteChange } from "./master-client.ts";
import type { RemoteInstance, RemotePeer } from "./remote-instance.ts";

/** What a new instance should be. */
export interface CreateInstanceOptions {
  readonly url: string;
  readonly alias?: string | undefined;
  /** Start it, as masters do by themselves. @default true */
  readonly start?: boolean | undefined;
  /** Whether it starts with the master. @default true */
  readonly restart?: boolean | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** The other half of a service. */
  readonly peer?: RemotePeer | undefined;
  /** Is given the answer to the URL: masters of ours tell there what they overlooked in it. */
  readonly onAnswer?: ((answer: RemoteInstance) => void) | undefined;
}

/**
 * Makes an instance with all that was asked for, by as many requests as the master needs.
 *
 * @throws {MasterClientError} also `REFUSED` if the master left something as it was
 * @example
 * const instance = await createInstance(client, { url, alias: "web", tags: { team: "a" } });
 */
export async function createInstance(
  client: MasterClient,
  { url, alias, start = true, restart = true, tags = {}, peer, onAnswer }: CreateInstanceOptions,
): Promise<RemoteInstance> {
  let instance = await client.create(url, alias);
  onAnswer?.(instance);
  if (!start) instance = await act(client, instance, "stop");
  const hasTags = Object.keys(tags).length > 0;
  const hasPeer = peer !== undefined && Object.values(peer).some((text) => text !== "");
  const change: RemoteChange = {
    // Masters before 1.10 take no alias with the URL.
    ...(alias !== undefined && instance.alias !== alias ? { alias } : {}),
    ...(instance.restart === restart ? {} : { restart }),
    ...(hasTags || hasPeer ? { meta: { ...(hasTags && { tags }), ...(hasPeer && { peer }) } } : {}),
  };
  if (Object.keys(change).length > 0) {
    instance = await client.change(instance.id, change);
    checkChange(instance, change);
  }
  return instance;
}

/**
 * Whether the master did what it was asked for: old ones pass over what they don't know.
 *
 * @throws {MasterClientError} `REFUSED`, naming what it left
 * @example
 * checkChange(await client.change(id, { alias: "web" }), { alias: "web" });
 */
export function checkChange(instance: RemoteInstance, change: RemoteChange): void {
  const tags = change.meta?.tags;
  const missed = [
    change.alias !== undefined && change.alias !== instance.alias ? "alias" : "",
    change.restart !== undefined && change.restart !== instance.restart ? "restart" : "",
    tags !== undefined && !isSameRecord(tags, instance.tags) ? "tags" : "",
    change.meta?.peer !== undefined && !isSameRecord(change.meta.peer, instance.peer) ? "peer" : "",
  ].filter((name) => name !== "");
  if (missed.length === 0) return;
  throw new MasterClientError(
    "REFUSED",
    `the master left ${nameInstance(instance)} as it was: ${missed.join(", ")}`,
    { details: ["Masters of other versions cannot change everything."] },
  );
}

function isSameRecord(wanted: unknown, found: object): boolean {
  const sorted = (value: unknown) => JSON.stringify(Object.entries(Object(value)).sort());
  return sorted(wanted) === sorted(found);
}
