import type { MasterClient, RemoteChange, RemoteInstance } from "@nodepass/master-client";
import { CliError } from "../exit-code.ts";
import { shownName } from "../output/instance-name.ts";
import { act } from "./settle.ts";

/** What a new instance should be. */
export interface CreateInstanceOptions {
  readonly url: string;
  readonly alias?: string | undefined;
  /** Start it, as masters do by themselves. */
  readonly start: boolean;
  /** Whether it starts with the master. */
  readonly restart: boolean;
  readonly tags: Readonly<Record<string, string>>;
  /** Is given the answer to the URL: masters of ours tell there what they overlooked in it. */
  readonly onAnswer?: ((answer: RemoteInstance) => void) | undefined;
}

/** Makes an instance with all that was asked for, by as many requests as the master needs. */
export async function createInstance(
  client: MasterClient,
  { url, alias, start, restart, tags, onAnswer }: CreateInstanceOptions,
): Promise<RemoteInstance> {
  let instance = await client.create(url, alias);
  onAnswer?.(instance);
  if (!start) instance = await act(client, instance, "stop");
  const change: RemoteChange = {
    // Masters before 1.10 take no alias with the URL.
    ...(alias !== undefined && instance.alias !== alias ? { alias } : {}),
    ...(instance.restart === restart ? {} : { restart }),
    ...(Object.keys(tags).length === 0 ? {} : { meta: { tags } }),
  };
  if (Object.keys(change).length > 0) {
    instance = await client.change(instance.id, change);
    checkChange(instance, change);
  }
  return instance;
}

/** Whether the master did what it was asked for: old ones pass over what they don't know. */
export function checkChange(instance: RemoteInstance, change: RemoteChange): void {
  const tags = change.meta?.tags;
  const missed = [
    change.alias !== undefined && change.alias !== instance.alias ? "alias" : "",
    change.restart !== undefined && change.restart !== instance.restart ? "restart" : "",
    tags !== undefined && !isSameRecord(tags, instance.tags) ? "tags" : "",
    change.meta?.peer !== undefined && !isSameRecord(change.meta.peer, instance.peer) ? "peer" : "",
  ].filter((name) => name !== "");
  if (missed.length === 0) return;
  throw new CliError(`the master left ${shownName(instance)} as it was: ${missed.join(", ")}`, {
    details: ["Masters of other versions cannot change everything."],
  });
}

function isSameRecord(wanted: unknown, found: object): boolean {
  const sorted = (value: unknown) => JSON.stringify(Object.entries(Object(value)).sort());
  return sorted(wanted) === sorted(found);
}
