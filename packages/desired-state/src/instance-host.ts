import { ownTags } from "@nodepass/model";
import { type Actual, type Desired, type Host, type Marks, nameOf } from "./desired-state.ts";
import { isSameUrl } from "./same-url.ts";

/** A tunnel that shall be there; `ConfiguredTunnel` of `@nodepass/config-file` is one. */
export interface DesiredTunnel extends Desired {
  readonly url: string;
  /** Whether it shall run, now and when the master starts. */
  readonly start: boolean;
}

/** An instance as a master tells about it; `RemoteInstance` of `@nodepass/master-client` is one. */
export interface ActualInstance extends Actual {
  /** `stopped` or anything else. */
  readonly status: string;
  readonly url: string;
  /** Whether it starts with the master. */
  readonly restart: boolean;
}

/** What a master is asked; `MasterClient` of `@nodepass/master-client` does it. */
export interface InstanceClient {
  list(): Promise<readonly ActualInstance[]>;
  create(url: string, alias?: string): Promise<ActualInstance>;
  change(
    id: string,
    change: {
      readonly alias?: string | undefined;
      readonly restart?: boolean | undefined;
      readonly action?: "start" | "stop" | undefined;
      readonly meta?: { readonly tags: Readonly<Record<string, string>> } | undefined;
    },
  ): Promise<ActualInstance>;
  replaceUrl(id: string, url: string): Promise<ActualInstance>;
  remove(id: string): Promise<void>;
}

/**
 * A master with its instances; any, ours or NodePass 1.14.
 *
 * @example
 * const host = instanceHost(client);
 * await apply(await plan(tunnels, host, { owner: "edge" }), host, { owner: "edge" });
 */
export function instanceHost(client: InstanceClient): Host<DesiredTunnel, ActualInstance> {
  return {
    what: "an instance",
    list: () => client.list(),
    differences: ({ start, url }, instance) => {
      const runs = instance.status !== "stopped";
      return [
        ...(instance.restart === start ? [] : ["restart"]),
        ...(runs && !start ? ["stop"] : []),
        ...(isSameUrl(url, instance.url) ? [] : ["url"]),
        ...(!runs && start ? ["start"] : []),
      ];
    },
    create: async ({ url, name, start }, marks) => {
      const { id, tags } = await client.create(url, name);
      // Marked first: if the rest fails, the next try knows it.
      await client.change(id, { meta: { tags: { ...tags, ...marks } } });
      // NodePass 1.14 takes no alias when it creates.
      await client.change(id, { alias: name });
      if (!start) {
        await client.change(id, { restart: false });
        await client.change(id, { action: "stop" });
      }
    },
    change: async (tunnel, instance, changes, marks) => {
      for (const change of changes) await applyChange(change, tunnel, instance, marks, client);
      // Another URL starts an instance, also one that shall not run.
      if (changes.includes("url") && !tunnel.start) {
        await client.change(instance.id, { action: "stop" });
      }
    },
    remove: ({ id }) => client.remove(id),
  };
}

/** One field at a time: dashboards' masters take no more (`PATCH` of 1.14). */
async function applyChange(
  change: string,
  { name, start, url }: DesiredTunnel,
  { id, tags }: ActualInstance,
  marks: Marks,
  client: InstanceClient,
): Promise<void> {
  if (change === "tags") await client.change(id, { meta: { tags: { ...tags, ...marks } } });
  else if (change === "alias") await client.change(id, { alias: name });
  else if (change === "restart") await client.change(id, { restart: start });
  else if (change === "url") await client.replaceUrl(id, url);
  else if (change === "start" || change === "stop") await client.change(id, { action: change });
}

/**
 * An instance as something that shall be, for a file: without the marks of who brought it.
 *
 * @example
 * const tunnels = (await client.list()).map(toDesired);
 */
export function toDesired(instance: ActualInstance): DesiredTunnel {
  const { url, tags, restart } = instance;
  return { name: nameOf(instance), url, tags: ownTags(tags), start: restart };
}
