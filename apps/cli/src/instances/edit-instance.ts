import {
  checkChange,
  type MasterClient,
  type RemoteChange,
  type RemoteInstance,
  type RemotePeer,
} from "@nodepass/master-client";

/** What should change of an instance; what is left out stays. */
export interface EditInstanceOptions {
  readonly url?: string | undefined;
  readonly alias?: string | undefined;
  readonly restart?: boolean | undefined;
  /** Tags to set, and names of those to remove. */
  readonly tags: Readonly<Record<string, string>>;
  readonly removedTags: readonly string[];
  readonly peer: Partial<RemotePeer>;
  /** Is given the answer to the URL. */
  readonly onAnswer?: ((answer: RemoteInstance) => void) | undefined;
}

/** Changes an instance; a new URL comes last, since it restarts the instance. */
export async function editInstance(
  client: MasterClient,
  found: RemoteInstance,
  options: EditInstanceOptions,
): Promise<RemoteInstance> {
  let instance = found;
  const change = toChange(found, options);
  if (Object.keys(change).length > 0) {
    instance = await client.change(found.id, change);
    checkChange(instance, change);
  }
  if (options.url !== undefined && options.url !== found.url) {
    instance = await client.replaceUrl(found.id, options.url);
    options.onAnswer?.(instance);
  }
  return instance;
}

/** Tags and peer replace the old ones whole, so what stays is sent too. */
function toChange(found: RemoteInstance, options: EditInstanceOptions): RemoteChange {
  const { alias, restart, tags, removedTags, peer } = options;
  const changesTags = Object.keys(tags).length + removedTags.length > 0;
  const changesPeer = Object.keys(peer).length > 0;
  const kept = Object.entries({ ...found.tags, ...tags }).filter(
    ([name]) => !removedTags.includes(name),
  );
  return {
    ...(alias === undefined ? {} : { alias }),
    ...(restart === undefined ? {} : { restart }),
    ...(changesTags || changesPeer
      ? {
          meta: {
            ...(changesTags ? { tags: Object.fromEntries(kept) } : {}),
            ...(changesPeer ? { peer: { ...found.peer, ...peer } } : {}),
          },
        }
      : {}),
  };
}
