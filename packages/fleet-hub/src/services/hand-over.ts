import type { PartRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import type { FleetIndex } from "../store/fleet-index.ts";
import { createTunnelKey, dials, tunnelPortOf, withKey, withTunnel } from "./part-url.ts";

/**
 * The record when a part gets another owner: its epoch counts up. In a pair the tunnel key is made anew,
 * for both halves, so that an owner who has not heard of it can't prove itself any more (section 7, rule
 * 9), and a client that dials its server's address follows it there.
 *
 * The owner itself, `from` and `to` are for who calls.
 */
export function handOver(
  record: ServiceRecord,
  part: number,
  to: string,
  members: FleetIndex["members"],
): ServiceRecord {
  const key = record.parts.length > 1 ? createTunnelKey() : undefined;
  const followed = followServer(record, part, to, members);
  const parts = followed.parts.map((one, at) => {
    if (key === undefined && at !== part) return one;
    const url = key === undefined ? one.url : withKey(one.url, key);
    const adopt = at === part ? null : one.adopt;
    return { ...one, url, adopt, epoch: one.epoch + 1 };
  });
  return { ...record, parts };
}

/** A pair's client with its server's new address, if it dials the old one. */
function followServer(
  record: ServiceRecord,
  part: number,
  to: string,
  members: FleetIndex["members"],
): ServiceRecord {
  const server = record.parts[part];
  if (server === undefined) return record;
  const before = addressesOf(server.owner ?? server.from, members);
  return redial(record, part, before, addressesOf(to, members)[0] ?? "");
}

/**
 * A pair's client with another address of its server, if it dials one of those.
 *
 * @param after empty: its owner has none, so that the client was told it by hand, and it stays
 * @returns the record itself if nothing changes
 */
export function redial(
  record: ServiceRecord,
  part: number,
  before: readonly string[],
  after: string,
): ServiceRecord {
  const server = record.parts[part];
  if (server?.role !== "server" || after === "") return record;
  const port = tunnelPortOf(server.url);
  const follows = ({ role, url }: PartRecord) =>
    role === "client" && before.some((host) => host !== after && dials(url, host, port));
  if (!record.parts.some(follows)) return record;
  const parts = record.parts.map((one) =>
    follows(one) ? { ...one, url: withTunnel(one.url, after, port) } : one,
  );
  return { ...record, parts };
}

/** Whether a pair's client could not find its server at a member, as that has no address. */
export function losesClient(
  record: ServiceRecord,
  part: number,
  to: string,
  members: FleetIndex["members"],
): boolean {
  const server = record.parts[part];
  if (server?.role !== "server" || addressesOf(to, members)[0] !== "") return false;
  const before = addressesOf(server.owner ?? server.from, members);
  const port = tunnelPortOf(server.url);
  return record.parts.some(
    ({ role, url }) => role === "client" && before.some((host) => dials(url, host, port)),
  );
}

/** What is in the way where a client would dial a server there, and what ends it. */
export function noAddress(mid: string, name: string): string {
  const typed = /^[\w.-]+$/.test(name) ? name : mid;
  return `master ${name || mid} has no address that its client could dial: set one, nodepass fleet label ${typed} --address HOST`;
}

/** What a member is reached under, and what clients may still take for that; empty texts are none. */
function addressesOf(mid: string | null, members: FleetIndex["members"]): readonly string[] {
  const { address = "", formerAddresses = [] } =
    (mid === null ? undefined : members.get(mid)?.value) ?? {};
  return [address, ...formerAddresses];
}
