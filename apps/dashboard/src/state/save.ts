import type { RemoteInstance } from "@nodepass/master-client";
import { texts } from "../i18n/index.ts";
import { notify } from "../parts/notices.tsx";
import type { Master } from "./master.ts";

/** What a form says of an instance. */
export interface TunnelDraft {
  readonly url: string;
  readonly alias: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Whether it starts with the master. */
  readonly restart: boolean;
}

/**
 * Makes an instance.
 *
 * @throws {MasterClientError} as the master refuses it; nothing is made then
 */
export async function createTunnel(
  { client }: Master,
  draft: TunnelDraft,
): Promise<RemoteInstance> {
  const { url, alias, tags, restart } = draft;
  const made = await client.create(url, alias === "" ? undefined : alias);
  for (const warning of made.warnings) notify(warning, "failed");
  const hasTags = Object.keys(tags).length > 0;
  if (hasTags || !restart) {
    await client.change(made.id, {
      ...(hasTags && { meta: { tags } }),
      ...(!restart && { restart }),
    });
  }
  return made;
}

/**
 * Changes an instance to what a form says, and no more than differs.
 *
 * @throws {MasterClientError} as the master refuses it
 */
export async function changeTunnel(
  { client }: Master,
  instance: RemoteInstance,
  draft: TunnelDraft,
): Promise<void> {
  const t = texts();
  const { id } = instance;
  // The URL first: it is what can be refused.
  if (draft.url !== instance.url) {
    const { changes, warnings } = await client.replaceUrl(id, draft.url);
    for (const warning of warnings) notify(warning, "failed");
    if (changes !== undefined) {
      const { inPlace, restarted } = changes;
      if (inPlace.length > 0) notify(t.form.inPlace(inPlace.join(", ")));
      if (restarted.length > 0) notify(t.form.restarted(restarted.join(", ")));
    }
  }
  const kept = Object.entries(instance.tags).filter(([name]) => name.startsWith("nodepass."));
  const tags = { ...draft.tags, ...Object.fromEntries(kept) };
  const change = {
    ...(draft.alias !== instance.alias && { alias: draft.alias }),
    ...(draft.restart !== instance.restart && { restart: draft.restart }),
    ...(JSON.stringify(tags) !== JSON.stringify(instance.tags) && { meta: { tags } }),
  };
  if (Object.keys(change).length > 0) await client.change(id, change);
}
