import type { PartReport } from "@nodepass/fleet-protocol";
import type { InstanceManager } from "@nodepass/instances";
import { type Instance, type InstanceMeta, ownTags, ServiceError } from "@nodepass/model";
import type { ClientSettings, ServerSettings } from "@nodepass/url-config";
import type { PartEntry } from "../file/fleet-file.ts";

/** Who manages the instances of parts; a refusal says so. */
const MANAGER = "the fleet";
const BY_FLEET = { byManager: true } as const;

/** What it takes to bring a part about. */
export interface Bringing {
  /** The local instance that becomes the part. */
  readonly adopt: string | null;
  /** Whether its names are given anew; whoever named it otherwise here keeps that till then. */
  readonly naming: boolean;
  /** Whether a strict part has a lease, or had one. */
  readonly leased: boolean;
  /** @returns why a URL is not to be run here */
  refusal(settings: ServerSettings | ClientSettings): { readonly reason: string } | undefined;
  /** Whether an instance is another part's. */
  isTaken(instance: string): boolean;
  /** The part has an instance now: for the file. */
  save(): Promise<void>;
}

/** Makes the instance of one part what its record says, whatever it was before. */
export class PartRunner {
  readonly #instances: InstanceManager;

  constructor(instances: InstanceManager) {
    this.#instances = instances;
  }

  mark(instance: string): void {
    this.#instances.setManager(instance, MANAGER);
  }

  unmark(instance: string): void {
    this.#instances.setManager(instance, undefined);
  }

  /** @throws {ServiceError} why it is not so; what was done stays, the next try goes on from there */
  async bring(entry: PartEntry, how: Bringing): Promise<void> {
    const found = await this.#find(entry, how);
    const refused = how.refusal(this.#instances.check(entry.url, found?.id));
    if (refused !== undefined) throw new ServiceError("FORBIDDEN", refused.reason);
    if (found === undefined) {
      await this.#create(entry, how);
      return;
    }
    this.mark(found.id);
    if (entry.instance !== found.id) {
      entry.instance = found.id;
      await how.save();
    }
    if (how.naming) await this.#name(entry, found.id);
    await this.#change(entry, found, how);
  }

  /** A strict part has its lease. */
  async start({ instance }: PartEntry): Promise<void> {
    if (instance !== null) await this.#instances.update(instance, { action: "start" }, BY_FLEET);
  }

  /** Now, and by anybody again after that. */
  async stop({ instance }: PartEntry): Promise<void> {
    if (instance === null) return;
    this.#instances.serveUntil(instance, 0);
    await this.#instances.update(instance, { action: "stop" }, BY_FLEET);
    this.#instances.serveUntil(instance, undefined);
  }

  /** @returns all that it carried here */
  async giveUp(entry: PartEntry, keep: boolean): Promise<PartReport["carried"]> {
    const id = entry.instance;
    if (id === null || (await this.#instances.get(id)) === undefined) return null;
    if (!keep) await this.#instances.update(id, { action: "stop", restart: false }, BY_FLEET);
    const last = await this.#instances.get(id);
    this.#instances.serveUntil(id, undefined);
    if (keep) {
      // Of no service any more, also for whoever rebuilds services from what is found.
      // And of no file for the fleet: one of the same owner for this master would prune it.
      const meta = {
        peer: { sid: "", type: "", alias: "" },
        ...(last !== undefined && { tags: ownTags(last.meta.tags) }),
      };
      await this.#instances.update(id, { meta }, BY_FLEET);
      this.unmark(id);
    } else await this.#instances.remove(id, BY_FLEET);
    if (last === undefined) return null;
    const { tcprx, tcptx, udprx, udptx } = last;
    return { tcprx, tcptx, udprx, udptx };
  }

  async #create(entry: PartEntry, { save }: Bringing): Promise<void> {
    const { url, alias, running, strict } = entry;
    const created = await this.#instances.create(
      { url, alias },
      // A strict part starts with its lease and not before.
      { running: running && !strict, manager: MANAGER, meta: metaOf(entry) },
    );
    entry.instance = created.id;
    await save();
  }

  async #name(entry: PartEntry, id: string): Promise<void> {
    await this.#instances.update(id, { alias: entry.alias, meta: metaOf(entry) }, BY_FLEET);
  }

  async #change(
    entry: PartEntry,
    { id, status, url, restart }: Instance,
    { leased }: Bringing,
  ): Promise<void> {
    const { running, strict } = entry;
    const isUp = status !== "stopped";
    // A strict part is started by its lease; here it only ever stops.
    const shallRun = running && (!strict || (isUp && leased));
    if (url !== entry.url) {
      await this.#instances.replaceUrl(id, entry.url, { ...BY_FLEET, running: shallRun });
    } else if (shallRun !== isUp) {
      await this.#instances.update(id, { action: shallRun ? "start" : "stop" }, BY_FLEET);
    }
    const shallStart = running && !strict;
    if (restart !== shallStart) {
      await this.#instances.update(id, { restart: shallStart }, BY_FLEET);
    }
  }

  /** Its instance; else the one that is to become it, or that was made before its id could be kept. */
  async #find(entry: PartEntry, { adopt, isTaken }: Bringing): Promise<Instance | undefined> {
    if (entry.instance !== null) {
      const own = await this.#instances.get(entry.instance);
      if (own !== undefined) return own;
    }
    const free = (await this.#instances.list()).filter(({ id }) => !isTaken(id));
    return (
      free.find(({ id }) => id === adopt) ??
      free.find(({ meta, url }) => meta.peer.sid === entry.sid && url === entry.url)
    );
  }
}

function metaOf({ sid, alias, tags }: PartEntry): InstanceMeta {
  return { peer: { sid, type: "", alias }, tags: { ...tags } };
}
