import type { ServiceRecord } from "@nodepass/fleet-protocol";
import { ownTags, ServiceError } from "@nodepass/model";
import { DEFAULT_POLICY } from "@nodepass/model/fleet";
import type { Caller } from "../fleet.ts";
import type { Stored } from "../store/fleet-store.ts";
import type { Aliases } from "./aliases.ts";
import { type AskedInstance, askInstance } from "./ask-instance.ts";
import { ANSWER_WITHIN_MS } from "./create-service.ts";
import { roleOf } from "./part-url.ts";
import type { ServiceOperations, ServiceParts } from "./service-operations.ts";
import type { ServiceWriter } from "./service-writer.ts";

/**
 * Makes a service of an instance that a member runs locally: it goes on under its id, and users' connections
 * with it. The order names it (`PartOrder.adopt`), so that the member makes no second one.
 */
export function createAdopter(
  parts: ServiceParts,
  writer: ServiceWriter,
  aliases: Aliases,
): ServiceOperations["adopt"] {
  const { index, presence, orders, clock } = parts;

  const recordOf = (
    caller: Caller,
    mid: string,
    { id, alias, status, url, meta }: AskedInstance,
  ): ServiceRecord => ({
    v: 1,
    alias,
    // Not those of a file for that master: here they would say that a file for the fleet brought it.
    tags: ownTags(meta.tags),
    policy: DEFAULT_POLICY,
    by: caller.token,
    at: clock.now(),
    detached: false,
    parts: [
      {
        role: roleOf(url),
        owner: mid,
        from: null,
        to: null,
        epoch: 1,
        // One that is in error is tried again and again.
        running: status !== "stopped",
        url,
        sel: "",
        home: null,
        adopt: id,
      },
    ],
  });

  return async (caller, sid, mid, instance): Promise<Stored<ServiceRecord>> => {
    const name = index.members.get(mid)?.value.name ?? mid;
    const facts = presence.facts(mid);
    if (!facts.allow.includes("apply") && facts.status === "online") {
      throw new ServiceError("FORBIDDEN", `master ${name} does not allow apply`);
    }
    const managed = presence
      .reportsOf(mid)
      .find((report) => report.instance === instance && report.outcome !== "released");
    if (managed !== undefined) {
      throw new ServiceError(
        "CONFLICT",
        `instance ${instance} is a part of service ${managed.sid}`,
      );
    }
    const record = recordOf(caller, mid, await askInstance(parts, mid, instance, caller.from));
    aliases.demandFree(sid, record.alias);
    let stored = await writer.create(sid, record);
    if ((await aliases.claim(sid, record.alias)) !== undefined) {
      // Its instance is not to stop for that: it is called a little otherwise.
      const alias = `${record.alias}-${sid.slice(0, 4)}`;
      stored = await writer.change(sid, undefined, ({ value }) => ({ ...value, alias }));
    }
    const [said] = await orders.settled(sid, stored.revision, ANSWER_WITHIN_MS);
    if (said?.state === "failed") {
      await writer.remove(sid, stored.revision);
      throw new ServiceError("CONFLICT", `it could not be adopted: ${said.reason}`);
    }
    return index.services.get(sid) ?? stored;
  };
}
