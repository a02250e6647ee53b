import { isRecord, type RemoteInstance } from "@nodepass/master-client";
import type { Master } from "./master.ts";

/** Says what a file is. */
const FORMAT = "nodepass-backup";
const VERSION = 1;
/** A larger file is none of ours. */
export const MOST_BACKUP_BYTES = 64 * 1024 * 1024;

interface BackedUp {
  readonly alias: string;
  readonly url: string;
  readonly restart: boolean;
  readonly status: string;
  readonly meta: {
    readonly peer: { readonly sid: string; readonly type: string; readonly alias: string };
    readonly tags: Readonly<Record<string, string>>;
  };
}

/** All instances of a master as a file; keys of tunnels are in it, the API key is not. */
export function backupText(master: Master): string {
  const { mid, alias, impl, ver } = master.facts.peek();
  const instances: BackedUp[] = master.rows.list().map(({ instance }) => ({
    alias: instance.alias,
    url: instance.url,
    restart: instance.restart,
    status: instance.status === "stopped" ? "stopped" : "running",
    meta: { peer: instance.peer, tags: instance.tags },
  }));
  const file = {
    format: FORMAT,
    version: VERSION,
    time: new Date().toISOString(),
    master: { mid, alias, impl, ver },
    instances,
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** Reads such a file. @throws {Error} with what it is not */
export function readBackup(text: string): readonly BackedUp[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("not JSON");
  }
  if (!isRecord(value) || value.format !== FORMAT) throw new Error("not a backup of a master");
  if (value.version !== VERSION || !Array.isArray(value.instances)) {
    throw new Error(`a backup of another version: ${JSON.stringify(value.version)}`);
  }
  return value.instances.map((each: unknown, at): BackedUp => {
    if (!isRecord(each) || typeof each.url !== "string") {
      throw new Error(`instance ${at + 1} has no URL`);
    }
    const meta = isRecord(each.meta) ? each.meta : {};
    const peer = isRecord(meta.peer) ? meta.peer : {};
    const tags = isRecord(meta.tags) ? meta.tags : {};
    const text = (item: unknown): string => (typeof item === "string" ? item : "");
    return {
      alias: text(each.alias),
      url: each.url,
      restart: each.restart !== false,
      status: text(each.status),
      meta: {
        peer: { sid: text(peer.sid), type: text(peer.type), alias: text(peer.alias) },
        tags: Object.fromEntries(Object.entries(tags).map(([name, tag]) => [name, text(tag)])),
      },
    };
  });
}

/** How a restoration went. */
export interface Restored {
  readonly made: number;
  /** They were there already: the same URL under the same name. */
  readonly kept: number;
  readonly failures: readonly string[];
}

/** Makes the instances of a backup that a master does not have; none is changed or removed. */
export async function restore(master: Master, backup: readonly BackedUp[]): Promise<Restored> {
  const there = master.rows.list().map(({ instance }) => instance);
  const isThere = (one: BackedUp): boolean =>
    there.some((each: RemoteInstance) => each.url === one.url && each.alias === one.alias);
  const missing = backup.filter((each) => !isThere(each));
  const failures: string[] = [];
  for (const { url, alias, restart, status, meta } of missing) {
    try {
      const { id } = await master.client.create(url, alias === "" ? undefined : alias);
      await master.client.change(id, {
        meta: { ...meta },
        restart,
        ...(status === "stopped" && { action: "stop" as const }),
      });
    } catch (error) {
      failures.push(`${alias || "?"}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { made: missing.length - failures.length, kept: backup.length - missing.length, failures };
}
