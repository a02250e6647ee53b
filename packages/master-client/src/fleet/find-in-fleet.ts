import type { FleetMaster, Service } from "@nodepass/model/fleet";
import { MasterClientError } from "../client-error.ts";
import { findNamed } from "../find-named.ts";

/**
 * Finds the master that `name` means: a whole mid, else the only one with that name or with a mid that
 * starts with it.
 *
 * @throws {MasterClientError} `NOT_FOUND`, with the candidates if there are several
 * @example
 * const { mid } = findMaster(await fleet.masters(), "edge");
 */
export function findMaster(masters: readonly FleetMaster[], name: string): FleetMaster {
  return findNamed(masters, name, {
    what: "master",
    idOf: ({ mid }) => mid,
    nameOf: (master) => master.name,
    hint: "A master is named by its mid, the beginning of its mid, or its name.",
  });
}

/**
 * Finds the service that `name` means: a whole sid, else the only one with that alias or with a sid that
 * starts with it.
 *
 * @throws {MasterClientError} `NOT_FOUND`, with the candidates if there are several
 * @example
 * const { sid } = findService(await fleet.services(), "web");
 */
export function findService(services: readonly Service[], name: string): Service {
  return findNamed(services, name, {
    what: "service",
    idOf: ({ sid }) => sid,
    nameOf: ({ alias }) => alias,
    hint: "A service is named by its sid, the beginning of its sid, or its alias.",
  });
}

/** Masters and services of a fleet. */
export interface FleetContent {
  readonly masters: readonly FleetMaster[];
  readonly services: readonly Service[];
}

/**
 * Finds what `name` means where it may be either.
 *
 * @throws {MasterClientError} `NOT_FOUND` if it is nothing, or both
 * @example
 * const { master, service } = findInFleet({ masters, services }, "edge");
 */
export function findInFleet(
  { masters, services }: FleetContent,
  name: string,
): { readonly master?: FleetMaster | undefined; readonly service?: Service | undefined } {
  const [master, service] = [
    attempt(() => findMaster(masters, name)),
    attempt(() => findService(services, name)),
  ];
  if (master.found !== undefined && service.found !== undefined) {
    throw new MasterClientError(
      "NOT_FOUND",
      `${JSON.stringify(name)} may be a master or a service`,
      {
        details: [`master ${master.found.mid}`, `service ${service.found.sid}`],
      },
    );
  }
  if (master.found !== undefined) return { master: master.found };
  if (service.found !== undefined) return { service: service.found };
  // Of several candidates more is said than of none.
  const fault = [master.error, service.error].find((error) => error?.message.includes("may be"));
  if (fault !== undefined) throw fault;
  throw new MasterClientError("NOT_FOUND", `no master and no service ${JSON.stringify(name)}`, {
    details: ["Masters are named by mid or name, services by sid or alias."],
  });
}

function attempt<Found>(find: () => Found): {
  readonly found?: Found;
  readonly error?: MasterClientError;
} {
  try {
    return { found: find() };
  } catch (error) {
    if (error instanceof MasterClientError) return { error };
    throw error;
  }
}
