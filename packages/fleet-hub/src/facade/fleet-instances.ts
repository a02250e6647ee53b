import { ServiceError } from "@nodepass/model";
import type { FleetInstance, FleetInstances, FleetRole } from "@nodepass/model/fleet";
import { InstanceSchema } from "@nodepass/model/schemas";
import { z } from "zod";
import type { Caller, FleetInstanceQuery } from "../fleet.ts";
import type { Passer } from "../gateway/passer.ts";
import type { Presence } from "../members/presence.ts";

/** Instances of a page at most, and how long a member is waited for, ms. Section 10. */
export const INSTANCES_PAGE = 1000;
export const MEMBER_WAIT_MS = 5000;
/** How long the members of a page are waited for in all, ms: those whose turn has not come are missing. */
export const PAGE_WAIT_MS = 10_000;
/** Members asked at once. */
const ASKED_AT_ONCE = 32;
/** A member's list at most, bytes. */
const MAX_LIST_BYTES = 8 * 1024 * 1024;

const CURSOR = /^([0-9a-f]{16}):(\d{1,9})$/;
const ListSchema = z.array(InstanceSchema);

/** Who is asked. */
export interface AskedMember {
  readonly mid: string;
  readonly name: string;
}

/** What the members are asked with. */
export interface InstanceAsker {
  readonly passer: Pick<Passer, "pass">;
  readonly presence: Pick<Presence, "facts">;
}

/** Asks one member for all of its instances. @throws anything: it is missing then */
export async function instancesOf(
  { passer, presence }: InstanceAsker,
  { mid, name }: AskedMember,
  role: FleetRole,
  from: string,
  until?: AbortSignal,
): Promise<readonly FleetInstance[]> {
  const { status, prefix } = presence.facts(mid);
  if (status === "lost" || status === "new") throw new ServiceError("UNAVAILABLE", status);
  until?.throwIfAborted();
  const limit = AbortSignal.timeout(MEMBER_WAIT_MS);
  const signal = until === undefined ? limit : AbortSignal.any([limit, until]);
  const response = await passer.pass({
    mid,
    method: "GET",
    target: `${prefix}/v1/instances`,
    headers: [],
    body: new Uint8Array(0),
    access: role,
    remote: from,
    boxed: false,
    signal,
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new ServiceError("UNAVAILABLE", `it answered ${response.status}`);
  }
  const list = ListSchema.parse(JSON.parse(await readText(response, signal)));
  return list
    .filter(({ id }) => id !== "********")
    .map((instance) => ({
      ...instance,
      mid,
      master: name,
      sid: instance.meta.peer.sid === "" ? null : instance.meta.peer.sid,
    }));
}

/**
 * A page of all members' instances, by mid and then as the member lists them.
 *
 * @param members that the caller may see, and asks for
 * @param waitMs for all of them; absent: for each its own time
 * @throws {ServiceError} `INVALID` for a cursor that is none
 */
export async function pageOfInstances(
  asker: InstanceAsker,
  members: readonly AskedMember[],
  query: Pick<FleetInstanceQuery, "cursor" | "status">,
  caller: Caller,
  waitMs?: number,
): Promise<FleetInstances> {
  const until = waitMs === undefined ? undefined : AbortSignal.timeout(waitMs);
  const [, fromMid = "", skipText = "0"] =
    query.cursor === undefined ? [] : (CURSOR.exec(query.cursor) ?? []);
  if (query.cursor !== undefined && fromMid === "") {
    throw new ServiceError("INVALID", "the cursor is none of a page before");
  }
  const asked = members
    .filter(({ mid }) => mid >= fromMid)
    .sort((a, b) => (a.mid < b.mid ? -1 : 1));
  const instances: FleetInstance[] = [];
  const missing: string[] = [];
  for (let at = 0; at < asked.length; at += ASKED_AT_ONCE) {
    const batch = asked.slice(at, at + ASKED_AT_ONCE);
    const lists = await Promise.allSettled(
      batch.map((member) => instancesOf(asker, member, caller.role, caller.from, until)),
    );
    for (const [place, { mid }] of batch.entries()) {
      const list = lists[place];
      if (list?.status !== "fulfilled") {
        missing.push(mid);
        continue;
      }
      const all = list.value.filter(
        ({ status }) => query.status === undefined || status === query.status,
      );
      const skip = mid === fromMid ? Number(skipText) : 0;
      const room = INSTANCES_PAGE - instances.length;
      instances.push(...all.slice(skip, skip + room));
      if (all.length - skip > room) {
        return { instances, cursor: `${mid}:${skip + room}`, missing };
      }
    }
  }
  return { instances, cursor: null, missing };
}

/** All instances of all members, keys not masked for an admin; those that do not answer are `missing`. */
export async function allInstances(
  asker: InstanceAsker,
  members: readonly AskedMember[],
  caller: Caller,
): Promise<Pick<FleetInstances, "instances" | "missing">> {
  const instances: FleetInstance[] = [];
  const missing: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await pageOfInstances(asker, members, { cursor, status: undefined }, caller);
    instances.push(...page.instances);
    missing.push(...page.missing);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return { instances, missing };
}

async function readText(response: Response, signal: AbortSignal): Promise<string> {
  if (response.body === null) return "";
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  const pieces: Uint8Array[] = [];
  const onAbort = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for (let size = 0; ; ) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return Buffer.concat(pieces).toString("utf8");
      size += value.byteLength;
      if (size > MAX_LIST_BYTES) {
        await reader.cancel();
        throw new ServiceError("UNAVAILABLE", `a list of more than ${MAX_LIST_BYTES} bytes`);
      }
      pieces.push(value);
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
