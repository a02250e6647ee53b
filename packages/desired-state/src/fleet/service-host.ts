import { OWNER_TAG } from "@nodepass/model";
import {
  type FleetMaster,
  isSelected,
  type NewService,
  type PartRole,
  parseSelector,
  type Service,
  type ServiceChange,
  type ServicePart,
  type ServicePolicy,
} from "@nodepass/model/fleet";
import type { Desired, Host, Marks } from "../desired-state.ts";
import { askedUrl, isSamePartUrl } from "./same-part-url.ts";

/** One end of a service that shall be there. */
export interface DesiredPart {
  readonly role: PartRole;
  /** May have `auto` where the hub fills in. */
  readonly url: string;
  /** mid of the master that has to run it, whoever took it over. */
  readonly master?: string | undefined;
  /** Masters that may run it; where `master` says which, those that may take it over. */
  readonly selector?: string | undefined;
  /** Label over whose values services of its kind are spread, when it is made. */
  readonly spread?: string | undefined;
}

/** A service that shall be there. */
export interface DesiredService extends Desired {
  /** One, or a server and a client. */
  readonly parts: readonly DesiredPart[];
  /** Whether it shall run. */
  readonly start: boolean;
  readonly policy: ServicePolicy;
}

/** A service as a hub tells about it; its `id` is its sid. */
export type ActualService = Service & { readonly id: string };

/** What a hub is asked; `FleetClient` of `@nodepass/master-client` does it. */
export interface ServiceClient {
  services(): Promise<readonly Service[]>;
  service(sid: string): Promise<Service>;
  createService(service: NewService): Promise<Service>;
  changeService(sid: string, change: ServiceChange, revision?: string): Promise<Service>;
  moveService(
    sid: string,
    move: { readonly part: PartRole; readonly to?: string; readonly selector?: string },
  ): Promise<Service>;
  removeService(sid: string, keep?: boolean, revision?: string): Promise<void>;
}

/** What somebody else who was quicker comes to; a move has no revision, and its 409 says that it failed. */
const TAKEN = 409;
const CHANGED_MEANWHILE = 412;

/**
 * A fleet with its services.
 *
 * @param masters of the fleet: whether a part is where it may be is told by their labels
 * @example
 * const host = serviceHost(fleet, await fleet.masters());
 * await apply(await plan(services, host, { owner: "site" }), host, { owner: "site" });
 */
export function serviceHost(
  client: ServiceClient,
  masters: readonly Pick<FleetMaster, "mid" | "labels">[],
): Host<DesiredService, ActualService> {
  const labels = new Map(masters.map((master) => [master.mid, master.labels]));

  /** A part that was taken over stays where it is, but where the one master is named that has to run it. */
  const isElsewhere = ({ master, selector = "" }: DesiredPart, { owner, state }: ServicePart) => {
    // One that is on its way is looked at when it is there.
    if (owner === null) return state === "released";
    if (master !== undefined) return owner !== master;
    const its = labels.get(owner);
    return its !== undefined && !isSelected(its, parseSelector(selector));
  };

  const differences = (wanted: DesiredService, service: Service): string[] => {
    const pairs = partsOf(wanted, service);
    if (pairs === undefined) return ["parts"];
    const which = (part: DesiredPart, what: string) =>
      pairs.length === 1 ? what : `${part.role} ${what}`;
    const where = (what: string, differs: (part: DesiredPart, now: ServicePart) => boolean) =>
      pairs.flatMap(([part, now]) => (differs(part, now) ? [which(part, what)] : []));
    return [
      ...where("move", isElsewhere),
      ...(isSamePolicy(wanted.policy, service.policy) ? [] : ["policy"]),
      ...where("selector", (part, now) => (part.selector ?? "") !== now.selector),
      ...where("url", (part, now) => !isSamePartUrl(part.url, now.url)),
      ...(pairs.some(([, { running }]) => running !== wanted.start)
        ? [wanted.start ? "start" : "stop"]
        : []),
    ];
  };

  const create = async (wanted: DesiredService, marks: Marks): Promise<void> => {
    const { name, policy, parts, start } = wanted;
    const made = await client.createService({
      alias: name,
      tags: { ...marks },
      policy,
      parts: parts.map(({ role, url, master, selector, spread }) => ({
        ...{ role, url, running: start },
        ...(master !== undefined && { master }),
        ...(selector !== undefined && { selector }),
        ...(spread !== undefined && { spread }),
      })),
    });
    demandRunning(made);
  };

  /**
   * A part that can't move holds up nothing else: a hub tries it with the URL that it has, which may be
   * what the rest changes. A move is asked for once, whatever comes of it.
   */
  const move = async (wanted: DesiredService, before: Service) => {
    let service = before;
    const failures: unknown[] = [];
    for (const [part, now] of partsOf(wanted, before) ?? []) {
      if (!isElsewhere(part, now)) continue;
      const { role, master, selector = "" } = part;
      const place = master === undefined ? { selector } : { to: master };
      try {
        service = await client.moveService(before.sid, { part: role, ...place });
      } catch (error) {
        failures.push(error);
      }
    }
    // Also what has failed was written, and has another revision.
    if (failures.length > 0) service = await readAgain(before, client);
    return { service, failures };
  };

  const change = async (wanted: DesiredService, before: Service, marks: Marks): Promise<void> => {
    if (partsOf(wanted, before) === undefined) throw new Error(otherParts(wanted, before));
    const { service, failures } = await move(wanted, before);
    try {
      await twice(service, client, async (now) => {
        const change = changeOf(wanted, now, marks);
        const isAsked = Object.keys(change).length > 0;
        demandRunning(isAsked ? await client.changeService(now.sid, change, now.revision) : now);
      });
    } catch (error) {
      failures.push(error);
    }
    if (failures.length > 1) throw new Error(failures.map(messageOf).join("; "));
    if (failures.length === 1) throw failures[0];
  };

  return {
    what: "a service",
    list: async () => (await client.services()).map(toActual),
    differences,
    create: async (wanted, marks) => {
      try {
        await create(wanted, marks);
      } catch (error) {
        if (!hasStatus(error, TAKEN)) throw error;
        // Somebody who has the same file may have made it since.
        const made = (await client.services()).find(({ alias }) => alias === wanted.name);
        if (made === undefined || made.tags[OWNER_TAG] !== marks[OWNER_TAG]) throw error;
        await change(wanted, made, marks);
      }
    },
    change: (wanted, service, _changes, marks) => change(wanted, service, marks),
    remove: (service) =>
      twice(service, client, ({ sid, revision }) => client.removeService(sid, false, revision)),
  };
}

/** Does it; if somebody changed the service meanwhile, once more with the service as it is now. */
async function twice(
  service: Service,
  client: Pick<ServiceClient, "service">,
  work: (service: Service) => Promise<void>,
): Promise<void> {
  try {
    await work(service);
  } catch (error) {
    if (!hasStatus(error, CHANGED_MEANWHILE)) throw error;
    await work(await readAgain(service, client));
  }
}

/** A service as it is now. @throws {Error} if somebody else owns it since */
async function readAgain(
  { sid, tags }: Service,
  client: Pick<ServiceClient, "service">,
): Promise<Service> {
  const now = await client.service(sid);
  if (now.tags[OWNER_TAG] === tags[OWNER_TAG]) return now;
  throw new Error(`somebody else took service ${sid} over meanwhile`);
}

/** What one request can change of a service, if it differs. */
function changeOf(wanted: DesiredService, service: Service, marks: Marks): ServiceChange {
  const { name, policy, start } = wanted;
  const parts = (partsOf(wanted, service) ?? []).flatMap(([part, now]) => {
    const { role, url, selector = "" } = part;
    const change = {
      ...(!isSamePartUrl(url, now.url) && { url: askedUrl(url, now.url) }),
      ...(selector !== now.selector && { selector }),
      ...(start !== now.running && { running: start }),
    };
    return Object.keys(change).length === 0 ? [] : [{ role, ...change }];
  });
  const isMarked = Object.entries(marks).every(([tag, value]) => service.tags[tag] === value);
  return {
    ...(service.alias !== name && { alias: name }),
    ...(!isMarked && { tags: { ...service.tags, ...marks } }),
    ...(!isSamePolicy(policy, service.policy) && { policy }),
    ...(parts.length > 0 && { parts }),
  };
}

/** Each part with what it is to be, the server first; `undefined`: it has others. */
function partsOf(
  { parts }: DesiredService,
  service: Service,
): (readonly [DesiredPart, ServicePart])[] | undefined {
  if (parts.length !== service.parts.length) return undefined;
  const found: (readonly [DesiredPart, ServicePart])[] = [];
  for (const role of ["server", "client"] as const) {
    const part = parts.find((each) => each.role === role);
    const now = service.parts.find((each) => each.role === role);
    if ((part === undefined) !== (now === undefined)) return undefined;
    if (part !== undefined && now !== undefined) found.push([part, now]);
  }
  return found;
}

/** How long, and whether back, says nothing of what nobody takes over. */
function isSamePolicy(one: ServicePolicy, other: ServicePolicy): boolean {
  if (one.failover !== other.failover) return false;
  return one.failover === "off" || (one.ttl === other.ttl && one.failback === other.failback);
}

/** @throws {Error} if a part failed; one that waits for the other may be in error meanwhile */
function demandRunning({ parts }: Service): void {
  if (parts.some(({ state }) => state === "pending")) return;
  const failed = parts.find(({ state }) => state === "failed");
  if (failed === undefined) return;
  throw new Error(`the ${failed.role} failed: ${failed.reason || "no reason given"}`);
}

/** Why nothing is done: to remove what runs before the other is accepted could lose both. */
function otherParts({ name, parts }: DesiredService, service: Service): string {
  const [is, wanted] = [endsOf(service.parts), endsOf(parts)];
  return `${name} is ${is} and can't become ${wanted}: remove it first, or give the entry another name`;
}

function endsOf(parts: readonly { readonly role: PartRole }[]): string {
  return parts.length === 1 ? `a single ${parts[0]?.role}` : "a pair";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function hasStatus(error: unknown, status: number): boolean {
  return error instanceof Error && "status" in error && error.status === status;
}

function toActual(service: Service): ActualService {
  return { ...service, id: service.sid };
}
