import type { ServiceRecord } from "@nodepass/fleet-protocol";
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
  if (server?.role !== "server") return record;
  const before = addressOf(server.owner ?? server.from, members);
  const after = addressOf(to, members);
  // An owner without an address was named by hand in the client's URL: that stays as it is.
  if (before === "" || after === "" || before === after) return record;
  const port = tunnelPortOf(server.url);
  const parts = record.parts.map((one) =>
    one.role === "client" && dials(one.url, before, port)
      ? { ...one, url: withTunnel(one.url, after, port) }
      : one,
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
  if (server?.role !== "server" || addressOf(to, members) !== "") return false;
  const before = addressOf(server.owner ?? server.from, members);
  const port = tunnelPortOf(server.url);
  return record.parts.some(({ role, url }) => role === "client" && dials(url, before, port));
}

/** What is in the way where a client would dial a server there, and what ends it. */
export function noAddress(mid: string, name: string): string {
  const typed = /^[\w.-]+$/.test(name) ? name : mid;
  return `master ${name || mid} has no address that its client could dial: set one, nodepass fleet label ${typed} --address HOST`;
}

function addressOf(mid: string | null, members: FleetIndex["members"]): string {
  return (mid === null ? undefined : members.get(mid)?.value.address) ?? "";
}
