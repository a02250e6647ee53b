import { type InstanceRecord, KEY_INSTANCE_ID, totalsOf } from "@nodepass/model";
import { GoStateError } from "./go-state-error.ts";
import { decodeGob } from "./gob/decode-gob.ts";
import type { GobValue } from "./gob/gob-types.ts";

/** What a master of the Go program kept. */
export interface GoState {
  readonly apiKey: string;
  /** 16 hex digits; `undefined` before NodePass 1.9 or so. */
  readonly masterId: string | undefined;
  readonly alias: string;
  readonly instances: readonly InstanceRecord[];
}

const MASTER_ID = /^[0-9a-f]{16}$/;

/**
 * Reads `nodepass.gob`, the state of NodePass 1.6 to 2.0 beta. Fields that a version did not write
 * are empty.
 *
 * @throws {GoStateError} `GOB_INVALID` or `GOB_UNSUPPORTED` as `decodeGob`; `GO_STATE_INVALID` for a
 *   gob that holds something else, or an instance without id, kind or URL
 */
export function readGoState(bytes: Uint8Array): GoState {
  const root = decodeGob(bytes);
  if (!(root instanceof Map)) throw new GoStateError("GO_STATE_INVALID", "the value is no map");
  const instances: InstanceRecord[] = [];
  let master: Struct | undefined;
  for (const [id, value] of root) {
    const struct = new Struct(value, `instance ${String(id)}`);
    if (id === KEY_INSTANCE_ID) master = struct;
    else instances.push(readInstance(String(id), struct));
  }
  const apiKey = master?.string("URL") ?? "";
  if (master === undefined || apiKey === "") {
    throw new GoStateError("GO_STATE_INVALID", `there is no API key (entry ${KEY_INSTANCE_ID})`);
  }
  const masterId = master.string("Config");
  return {
    apiKey,
    masterId: MASTER_ID.test(masterId) ? masterId : undefined,
    alias: master.string("Alias"),
    instances,
  };
}

function readInstance(id: string, struct: Struct): InstanceRecord {
  const type = struct.string("Type");
  const url = struct.string("URL");
  if (id === "" || url === "" || (type !== "server" && type !== "client")) {
    throw new GoStateError(
      "GO_STATE_INVALID",
      `instance ${id} has the type ${JSON.stringify(type)} and ${url === "" ? "no" : "a"} URL; a type is server or client`,
    );
  }
  const meta = struct.struct("Meta");
  const peer = meta.struct("Peer");
  const status = struct.string("Status");
  return {
    id,
    alias: struct.string("Alias"),
    type,
    url,
    restart: struct.bool("Restart"),
    running: status === "running" || status === "error",
    meta: {
      peer: { sid: peer.string("SID"), type: peer.string("Type"), alias: peer.string("Alias") },
      tags: meta.strings("Tags"),
    },
    // The program's names are those of the API in capitals; what it does not count is 0.
    ...totalsOf((name) => struct.count(name.toUpperCase())),
  };
}

/** A decoded struct whose fields have the kinds that the program gives them. */
class Struct {
  readonly #fields: ReadonlyMap<GobValue, GobValue>;
  readonly #where: string;

  constructor(value: GobValue, where: string) {
    if (!(value instanceof Map))
      throw new GoStateError("GO_STATE_INVALID", `${where} is no struct`);
    this.#fields = value;
    this.#where = where;
  }

  string(name: string): string {
    const value = this.#fields.get(name) ?? "";
    if (typeof value !== "string") throw this.#wrong(name, "a string");
    return value;
  }

  bool(name: string): boolean {
    const value = this.#fields.get(name) ?? false;
    if (typeof value !== "boolean") throw this.#wrong(name, "a boolean");
    return value;
  }

  /** Bytes or the like, at most what a number holds exactly. */
  count(name: string): number {
    const value = this.#fields.get(name) ?? 0n;
    if (typeof value !== "bigint" || value < 0n) throw this.#wrong(name, "a count");
    return Number(value > MAX_COUNT ? MAX_COUNT : value);
  }

  struct(name: string): Struct {
    return new Struct(this.#fields.get(name) ?? new Map(), `${this.#where}, ${name}`);
  }

  strings(name: string): Record<string, string> {
    const value = this.#fields.get(name) ?? new Map();
    if (!(value instanceof Map)) throw this.#wrong(name, "a map");
    const entries: Array<readonly [string, string]> = [];
    for (const [key, text] of value) {
      if (typeof key !== "string" || typeof text !== "string") throw this.#wrong(name, "strings");
      entries.push([key, text]);
    }
    return Object.fromEntries(entries);
  }

  #wrong(name: string, due: string): GoStateError {
    return new GoStateError("GO_STATE_INVALID", `${this.#where}: ${name} is not ${due}`);
  }
}

const MAX_COUNT = BigInt(Number.MAX_SAFE_INTEGER);
