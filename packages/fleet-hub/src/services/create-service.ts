import type { PartRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import type { NewService, NewServicePart, PartRole } from "@nodepass/model/fleet";
import type { Caller } from "../fleet.ts";
import type { Stored } from "../store/fleet-store.ts";
import type { Aliases } from "./aliases.ts";
import { clientConnects } from "./client-connects.ts";
import type { Failures } from "./failures.ts";
import { noAddress } from "./hand-over.ts";
import { createTunnelKey, hasAutoTunnel, keyOf, roleOf, withKey, withTunnel } from "./part-url.ts";
import type { Placed, Placer } from "./placer.ts";
import { isNew, type Reconciler } from "./reconciler.ts";
import { demandRoom } from "./room.ts";
import type { ServiceParts } from "./service-operations.ts";
import { changedMeanwhile, type ServiceWriter } from "./service-writer.ts";

/** How long a caller waits for members before an answer with parts that are `pending`, ms. */
export const ANSWER_WITHIN_MS = 10_000;

/** A part with the member that has said that it can run it. */
interface PlacedPart {
  readonly asked: NewServicePart;
  readonly role: PartRole;
  readonly placed: Placed;
  /** With its ports filled in. */
  readonly url: string;
}

/** Makes services; what is refused has written nothing. Section 6, "Create" and "Pair". */
export function createServiceCreator(
  parts: ServiceParts,
  writer: ServiceWriter,
  aliases: Aliases,
  placer: Placer,
  reconciler: Reconciler,
  failures: Failures,
): (caller: Caller, sid: string, service: NewService) => Promise<Stored<ServiceRecord>> {
  const { index, presence, orders, clock } = parts;

  const placePart = async (
    caller: Caller,
    service: NewService,
    asked: NewServicePart,
    url: string,
  ): Promise<PlacedPart> => {
    const role = roleOf(url);
    const placed = await placer.place({
      visible: caller.selector,
      master: asked.master,
      selector: asked.selector ?? "",
      spread:
        asked.spread === undefined
          ? undefined
          : { label: asked.spread, alias: service.alias, role },
      url,
      key: null,
    });
    return { asked, role, placed, url: placed.prepared.url };
  };

  /** The server first: its client needs its port, and the address of where it went. */
  const placeAll = async (
    caller: Caller,
    service: NewService,
    placedParts: Map<number, PlacedPart>,
  ) => {
    const roles = service.parts.map((asked) => checkRole(asked));
    const isPair = roles.length === 2;
    if (isPair && roles[0] === roles[1]) {
      throw new ServiceError("INVALID", `both parts are ${roles[0]}s (allowed: one of each)`);
    }
    let server: PlacedPart | undefined;
    for (const role of ["server", "client"] as const) {
      const at = roles.indexOf(role);
      const asked = service.parts[at];
      if (asked === undefined) continue;
      const url =
        role === "client" && hasAutoTunnel(asked.url) ? dialServer(asked.url, server) : asked.url;
      const placed = await placePart(caller, service, asked, url);
      placedParts.set(at, placed);
      if (role === "server") server = placed;
    }
  };

  const dialServer = (url: string, server: PlacedPart | undefined) => {
    if (server === undefined) {
      throw new ServiceError(
        "INVALID_URL",
        "the tunnel address auto is for a client whose server is made with it",
      );
    }
    const { mid, name, prepared } = server.placed;
    const address = index.members.get(mid)?.value.address ?? "";
    if (address === "") {
      throw new ServiceError(
        "CONFLICT",
        `${noAddress(mid, name)}, or write the tunnel address in the client's URL`,
      );
    }
    return withTunnel(url, address, prepared.tunnelPort);
  };

  const recordOf = (
    caller: Caller,
    { alias, tags, policy }: NewService,
    placedParts: ReadonlyMap<number, PlacedPart>,
  ): ServiceRecord => {
    const ordered = [...placedParts].sort(([one], [other]) => one - other).map(([, one]) => one);
    const isPair = ordered.length === 2;
    const key = isPair ? pairKey(ordered.map(({ url }) => keyOf(url))) : undefined;
    const record = ordered.map(
      ({ asked, role, placed, url }): PartRecord => ({
        role,
        owner: placed.mid,
        from: null,
        // A pair is made whole or not at all: each half is on trial till both run.
        to: isPair ? placed.mid : null,
        epoch: 1,
        running: asked.running,
        url: key === undefined ? url : withKey(url, key),
        sel: asked.selector ?? "",
        home: null,
        adopt: null,
      }),
    );
    return {
      v: 1,
      alias,
      tags,
      policy,
      by: caller.token,
      at: clock.now(),
      detached: false,
      parts: record,
    };
  };

  /** What members have made of it: all of it runs, or some of it is to come, or it is taken back. */
  const settle = async (sid: string, stored: Stored<ServiceRecord>) => {
    const deadline = clock.monotonic() + ANSWER_WITHIN_MS;
    await orders.settled(sid, stored.revision, ANSWER_WITHIN_MS);
    // One part that fails stays as it is, to be looked at and changed; of a pair nothing is left.
    if (stored.value.parts.length === 1) return index.services.get(sid) ?? stored;
    await checkMade(sid);
    await reconciler.drive(sid, Math.max(0, deadline - clock.monotonic()));
    await checkMade(sid);
    const now = index.services.get(sid);
    if (now === undefined) {
      throw new ServiceError("CONFLICT", "the pair did not become whole and was taken back");
    }
    for (const part of now.value.parts) {
      if (!isNew(part) || presence.facts(part.owner).status === "online") continue;
      await takeBack(sid);
      const name = index.members.get(part.owner)?.value.name ?? part.owner;
      throw new ServiceError("UNAVAILABLE", `master ${name} went away while the pair was made`);
    }
    await clientConnects(parts, sid, now.revision, Math.max(0, deadline - clock.monotonic()));
    return index.services.get(sid) ?? now;
  };

  /** @throws {ServiceError} `CONFLICT` if a part can't run where it was placed: all of it is taken back */
  const checkMade = async (sid: string) => {
    for (const [at, part] of index.services.get(sid)?.value.parts.entries() ?? []) {
      if (part.owner === null || !failures.hasFailed(part.owner, sid, at, part)) continue;
      const reason = presence.reportOf(part.owner, sid, at)?.reason ?? "";
      await takeBack(sid);
      throw new ServiceError("CONFLICT", `it could not be made: ${reason}`);
    }
  };

  const takeBack = async (sid: string) => {
    for (let tries = 0; tries < 3; tries += 1) {
      const stored = await parts.store.services.get(sid);
      if (stored === undefined) return;
      try {
        await writer.remove(sid, stored.revision);
        return;
      } catch (error) {
        // The leader may have settled it, or taken it back, at the same moment.
        if (!(error instanceof ServiceError) || error.code !== "CONFLICT") throw error;
      }
    }
    throw changedMeanwhile(sid);
  };

  return async (caller, sid, service) => {
    demandRoom(index, [{ parts: [] }]);
    aliases.demandFree(sid, service.alias);
    const placedParts = new Map<number, PlacedPart>();
    let stored: Stored<ServiceRecord>;
    try {
      await placeAll(caller, service, placedParts);
      // Somebody may have taken it while masters were asked.
      aliases.demandFree(sid, service.alias);
      stored = await writer.create(sid, recordOf(caller, service, placedParts));
    } finally {
      for (const { placed } of placedParts.values()) placed.release();
    }
    const taken = await aliases.claim(sid, service.alias);
    if (taken !== undefined) {
      await takeBack(sid);
      throw taken;
    }
    return settle(sid, stored);
  };
}

function checkRole({ role, url }: NewServicePart): PartRole {
  const written = roleOf(url);
  if (role !== undefined && role !== written) {
    throw new ServiceError("INVALID", `role is ${role}, but the URL is a ${written}'s`);
  }
  return written;
}

/** The key of a pair: the one that is given, or a new one. */
function pairKey(given: readonly (string | undefined)[]): string {
  const [one, other] = given;
  if (one !== undefined && other !== undefined && one !== other) {
    throw new ServiceError(
      "INVALID_URL",
      "the two URLs have different tunnel keys (allowed: the same, one of them, or none)",
    );
  }
  return one ?? other ?? createTunnelKey();
}
