import type { PartRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import type { ServiceChange, ServicePolicy } from "@nodepass/model/fleet";
import type { Caller } from "../fleet.ts";
import type { Stored } from "../store/fleet-store.ts";
import type { Aliases } from "./aliases.ts";
import { ANSWER_WITHIN_MS } from "./create-service.ts";
import { checkSettled, partAt } from "./move-service.ts";
import { isUnsettled } from "./part-steps.ts";
import {
  dials,
  hasAutoTunnel,
  hasOwnKey,
  keyOf,
  roleOf,
  tunnelPortOf,
  withKey,
  withTunnel,
} from "./part-url.ts";
import type { Placer } from "./placer.ts";
import type { ServiceParts } from "./service-operations.ts";
import { type ServiceWriter, withPart } from "./service-writer.ts";

type PartChange = NonNullable<ServiceChange["parts"]>[number];

/**
 * Changes services. A URL is tried at its owner before anything is written; a pair's other half gets a new
 * key, and a client its server's new port, in the same record.
 */
export function createServiceChanger(
  { index, orders, clock }: ServiceParts,
  writer: ServiceWriter,
  aliases: Aliases,
  placer: Placer,
): (
  caller: Caller,
  sid: string,
  change: ServiceChange,
  revision: number | undefined,
) => Promise<Stored<ServiceRecord>> {
  /** The record with another URL of one part: as its owner fills it in, and keys as a pair needs them. */
  const changeUrl = async (sid: string, record: ServiceRecord, at: number, asked: string) => {
    const part = record.parts[at];
    if (part === undefined) return record;
    if (roleOf(asked) !== part.role) {
      throw new ServiceError("INVALID_URL", `this part is a ${part.role}; the URL is none`);
    }
    if (part.owner === null) {
      throw new ServiceError(
        "CONFLICT",
        `no master has this part of service ${sid}: move it first`,
      );
    }
    const before = keyOf(part.url);
    // A key that is masked or left out stays what it is: not everybody may see it.
    const keyed = hasOwnKey(asked) ? asked : withKey(asked, before);
    const dialling = hasAutoTunnel(keyed) ? dialServer(sid, record, keyed) : keyed;
    const { url } = await placer.prepare(part.owner, dialling, { sid, part: at });
    return followPart(withPart(record, at, { url }), record, at, keyOf(url) !== before);
  };

  /** What the change of one half means for the other, and for the epochs. */
  const followPart = (
    changed: ServiceRecord,
    before: ServiceRecord,
    at: number,
    rekeyed: boolean,
  ): ServiceRecord => {
    const url = changed.parts[at]?.url ?? "";
    const key = keyOf(url);
    const old = before.parts[at];
    const parts = changed.parts.map((one, place): PartRecord => {
      const epoch = rekeyed ? one.epoch + 1 : one.epoch;
      if (place === at) return { ...one, epoch };
      const withNewKey = rekeyed ? withKey(one.url, key) : one.url;
      return { ...one, epoch, url: followPort(withNewKey, old, url) };
    });
    return { ...changed, parts };
  };

  const followPort = (clientUrl: string, server: PartRecord | undefined, serverUrl: string) => {
    if (server?.role !== "server") return clientUrl;
    const address = addressOf(server.owner);
    return dials(clientUrl, address, tunnelPortOf(server.url))
      ? withTunnel(clientUrl, address, tunnelPortOf(serverUrl))
      : clientUrl;
  };

  const dialServer = (sid: string, record: ServiceRecord, url: string) => {
    const server = record.parts.find(({ role }) => role === "server");
    const address = addressOf(server?.owner ?? null);
    if (server === undefined || address === "") {
      throw new ServiceError(
        "INVALID_URL",
        `service ${sid} has no server with an address that the tunnel address auto could stand for`,
      );
    }
    return withTunnel(url, address, tunnelPortOf(server.url));
  };

  const addressOf = (mid: string | null) =>
    (mid === null ? undefined : index.members.get(mid)?.value.address) ?? "";

  const changePart = async (
    sid: string,
    record: ServiceRecord,
    { role, url, running, selector }: PartChange,
  ) => {
    const at = partAt(sid, record, role);
    let changed = record;
    if (url !== undefined && url !== record.parts[at]?.url) {
      checkSettled(sid, record);
      changed = await changeUrl(sid, changed, at, url);
    }
    if (running !== undefined && running !== record.parts[at]?.running) {
      changed = withPart(changed, at, { running });
    }
    if (selector !== undefined && selector !== record.parts[at]?.sel) {
      changed = withPart(changed, at, { sel: selector });
    }
    return changed;
  };

  /** What has become of another alias: if somebody else got it, it is the former one again. */
  const settleAlias = async (sid: string, alias: string, before: string) => {
    const taken = await aliases.claim(sid, alias);
    if (taken === undefined) {
      void aliases.release(sid, before);
      return;
    }
    await writer.change(sid, undefined, ({ value }) =>
      value.alias === alias ? { ...value, alias: before } : value,
    );
    throw taken;
  };

  return async (caller, sid, change, revision) => {
    let before = "";
    const written = await writer.change(sid, revision, async ({ value: record }) => {
      if (record.detached) {
        throw new ServiceError("CONFLICT", `service ${sid} is being detached`);
      }
      let changed = record;
      for (const part of change.parts ?? []) changed = await changePart(sid, changed, part);
      const { alias = record.alias, tags = record.tags } = change;
      if (alias !== record.alias) aliases.demandFree(sid, alias);
      before = record.alias;
      if (alias !== record.alias || !isSameTags(tags, record.tags)) {
        changed = { ...changed, alias, tags };
      }
      changed = changePolicy(sid, changed, change.policy ?? {});
      return changed === record ? record : { ...changed, by: caller.token, at: clock.now() };
    });
    const { alias } = written.value;
    if (change.alias !== undefined && alias !== before) await settleAlias(sid, alias, before);
    await orders.settled(sid, written.revision, ANSWER_WITHIN_MS);
    return index.services.get(sid) ?? written;
  };
}

/**
 * The record with another policy. An owner that has a part without a lease, or with a longer one, must
 * have heard that from now on it has to stop earlier, before anybody else may take it over: so its epoch
 * counts up, and it is named as the one whose word is waited for.
 */
export function changePolicy(
  sid: string,
  record: ServiceRecord,
  asked: NonNullable<ServiceChange["policy"]>,
): ServiceRecord {
  const before = record.policy;
  const policy: ServicePolicy = {
    failover: asked.failover ?? before.failover,
    ttl: asked.ttl ?? before.ttl,
    failback: asked.failback ?? before.failback,
  };
  const { failover, ttl, failback } = policy;
  if (failover === before.failover && ttl === before.ttl && failback === before.failback) {
    return record;
  }
  if (failover !== before.failover || ttl !== before.ttl) checkSettled(sid, record);
  const stopsEarlier = failover === "strict" && (before.failover !== "strict" || ttl < before.ttl);
  const parts = record.parts.map((part) =>
    stopsEarlier && part.owner !== null && !isUnsettled(part)
      ? { ...part, epoch: part.epoch + 1, from: part.owner, to: null }
      : part,
  );
  return { ...record, policy, parts };
}

function isSameTags(
  one: Readonly<Record<string, string>>,
  other: Readonly<Record<string, string>>,
) {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && one[name] === other[name])
  );
}
