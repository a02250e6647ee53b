import { ServiceError } from "@nodepass/model";
import type { PartRole, Service, ServiceChange } from "@nodepass/model/fleet";
import { InstanceChangeSchema, InstanceUrlSchema } from "@nodepass/model/schemas";
import type { Caller, Fleet } from "../fleet.ts";
import { findWritten } from "./passed-access.ts";

/** A part of a service, as an instance of its owner. */
export interface ManagedPart {
  readonly sid: string;
  /** Its place in the service. */
  readonly part: number;
}

/** A write to one instance of a master. */
export interface InstanceWrite {
  readonly method: "PUT" | "PATCH" | "DELETE";
  readonly id: string;
  /** Path of the master's API: what is before `/instances/{id}`. */
  readonly base: string;
}

/** @returns the instance that a request writes to, if it is that kind of request */
export function readInstanceWrite(method: string, target: string): InstanceWrite | undefined {
  if (method !== "PUT" && method !== "PATCH" && method !== "DELETE") return undefined;
  const written = findWritten(target);
  const [id, ...more] = written?.rest ?? [];
  const isOne = written?.resource === "instances" && more.length === 0;
  if (!isOne || id === undefined || !/^[0-9a-f]{8}$/.test(id)) return undefined;
  return { method, id, base: written.base };
}

/** What a write asks of a part. */
export interface PartChange {
  readonly url?: string;
  readonly running?: boolean;
  /** Whether it starts with its master: of a part, the same as whether it shall run. */
  readonly restart?: boolean;
}

/** What of a write to a managed instance is its service's, and what is left for the master. */
export interface SplitWrite {
  /** `undefined`: nothing; `remove`: the service goes. */
  readonly change: PartChange | "remove" | undefined;
  /** Body of a `PATCH` that is passed on; `undefined`: nothing is left. */
  readonly rest: Record<string, unknown> | undefined;
}

/**
 * Takes a write apart: URL, start, stop and the end are the service's, alias, meta, `reset` and
 * `restart` the instance's.
 *
 * @param body as it was sent
 * @returns `undefined`: it is none that a master would take; the master says why
 */
export function splitWrite({ method }: InstanceWrite, body: Uint8Array): SplitWrite | undefined {
  if (method === "DELETE") return { change: "remove", rest: undefined };
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
  if (method === "PUT") {
    const read = InstanceUrlSchema.safeParse(parsed);
    return read.success ? { change: { url: read.data.url }, rest: undefined } : undefined;
  }
  const read = InstanceChangeSchema.safeParse(parsed);
  if (!read.success || typeof parsed !== "object" || parsed === null) return undefined;
  const { action, restart } = read.data;
  const {
    action: _action,
    restart: _restart,
    ...others
  } = { ...parsed } as Record<string, unknown>;
  const isOwn = action === "start" || action === "stop";
  const rest = { ...others, ...(action !== undefined && !isOwn && { action }) };
  const change: PartChange = {
    ...(isOwn && { running: action === "start" }),
    ...(restart !== undefined && { restart }),
  };
  return {
    change: Object.keys(change).length === 0 ? undefined : change,
    rest: Object.keys(rest).length === 0 ? undefined : rest,
  };
}

/** Makes a write to a managed instance a change of its service. */
export async function changeManaged(
  fleet: Pick<Fleet, "service" | "changeService" | "removeService">,
  caller: Caller,
  { sid, part }: ManagedPart,
  change: Exclude<SplitWrite["change"], undefined>,
  options: { readonly ownPartsOnly: boolean },
): Promise<void> {
  const before = fleet.service(caller, sid);
  const role = roleOf(before, part);
  if (change === "remove") {
    if (options.ownPartsOnly && before.parts.length > 1) {
      const message =
        "another master has the other end of this tunnel: it takes a token of the fleet";
      throw new ServiceError("FORBIDDEN", message);
    }
    return fleet.removeService(caller, sid, undefined, false);
  }
  const { restart, ...rest } = change;
  const running = rest.running ?? before.parts[part]?.running;
  if (restart !== undefined && restart !== running) {
    const message = "the fleet runs this instance: it starts with its master unless it is stopped";
    throw new ServiceError("CONFLICT", message);
  }
  if (Object.keys(rest).length === 0) return;
  const wanted: ServiceChange = { parts: [{ role, ...rest }] };
  const after = await fleet.changeService(caller, sid, wanted, undefined);
  const changed = after.parts.find((one) => one.role === role);
  if (changed?.state === "failed") throw new ServiceError("CONFLICT", changed.reason);
}

function roleOf({ parts }: Service, part: number): PartRole {
  const role = parts[part]?.role;
  if (role === undefined) throw new ServiceError("NOT_FOUND", "Instance not found");
  return role;
}
