import { randomBytes } from "node:crypto";
import type { ServiceRecord } from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import { DEFAULT_POLICY } from "@nodepass/model/fleet";
import { InstanceSchema } from "@nodepass/model/schemas";
import type { Caller } from "../fleet.ts";
import type { Stored } from "../store/fleet-store.ts";
import { ANSWER_WITHIN_MS } from "./create-service.ts";
import { roleOf } from "./part-url.ts";
import type { ServiceOperations, ServiceParts } from "./service-operations.ts";
import type { ServiceWriter } from "./service-writer.ts";

/** A local instance, as its member shows it. */
export const AdoptedSchema = InstanceSchema.pick({
  id: true,
  alias: true,
  status: true,
  url: true,
  meta: true,
});

/**
 * Makes a service of an instance that a member runs locally: it goes on under its id, and users' connections
 * with it. The order names it (`PartOrder.adopt`), so that the member makes no second one.
 */
export function createAdopter(
  { index, presence, messenger, orders, clock }: ServiceParts,
  writer: ServiceWriter,
): ServiceOperations["adopt"] {
  const ask = async (mid: string, instance: string, from: string) => {
    const stream = randomBytes(8).toString("hex");
    const answer = await messenger.api(
      mid,
      {
        method: "GET",
        path: `${presence.facts(mid).prefix}/v1/instances/${encodeURIComponent(instance)}`,
        headers: [["accept", "application/json"]],
        body: new Uint8Array(),
        access: "admin",
        remote: from,
        stream,
        credit: 0,
      },
      () => undefined,
    );
    if (answer.streamed) messenger.closeStream(mid, stream);
    if (answer.status === 404) {
      throw new ServiceError("NOT_FOUND", `no instance ${JSON.stringify(instance.slice(0, 80))}`);
    }
    return readInstance(answer.status, answer.body);
  };

  const recordOf = (
    caller: Caller,
    mid: string,
    { id, alias, status, url, meta }: ReturnType<typeof readInstance>,
  ): ServiceRecord => ({
    v: 1,
    alias,
    tags: meta.tags,
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
    const record = recordOf(caller, mid, await ask(mid, instance, caller.from));
    const stored = await writer.create(sid, record);
    const [said] = await orders.settled(sid, stored.revision, ANSWER_WITHIN_MS);
    if (said?.state === "failed") {
      await writer.remove(sid, stored.revision);
      throw new ServiceError("CONFLICT", `it could not be adopted: ${said.reason}`);
    }
    return index.services.get(sid) ?? stored;
  };
}

function readInstance(status: number, body: Uint8Array) {
  if (status !== 200) {
    throw new ServiceError(
      "UNAVAILABLE",
      `the master answered ${status} to a question for the instance`,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(body));
  } catch (error) {
    throw new ServiceError("UNAVAILABLE", "the master's answer is no JSON", { cause: error });
  }
  const read = AdoptedSchema.safeParse(json);
  if (!read.success) {
    throw new ServiceError("UNAVAILABLE", "the master's answer is no instance");
  }
  return read.data;
}
