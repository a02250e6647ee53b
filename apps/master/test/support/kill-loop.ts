import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { vi } from "vitest";
import { ask, type MasterProcess } from "./run-master.ts";

/** What the loop has seen. */
export interface KillReport {
  readonly kills: number;
  /** Changes that were answered with success. */
  readonly acknowledged: number;
  /** Changes under way when the master was killed: they may be there or not. */
  readonly cutOff: number;
  /** What was acknowledged and is not there, and every answer that should not be. */
  readonly faults: readonly string[];
}

/** What of an instance is changed and compared. */
interface Known {
  readonly alias: string;
  readonly restart: boolean;
  readonly url: string;
  readonly tag: string;
}

interface InstanceAnswer extends Omit<Known, "tag"> {
  readonly id: string;
  readonly type: string;
  readonly meta: { readonly tags: Readonly<Record<string, string>> };
}

interface Api {
  readonly url: string;
  readonly key: string;
}

/** Changes that run at once. */
const writers = 4;
/** More than these are deleted before the next round: each is started with the master. */
const mostInstances = 12;

/**
 * Kills a master with SIGKILL in the middle of changes, starts it again and looks whether all that
 * it had acknowledged is there, `kills` times.
 *
 * @param start starts the master, each time on the same state
 */
export async function killLoop(
  kills: number,
  start: () => Promise<MasterProcess>,
): Promise<KillReport> {
  /** As acknowledged, by id. */
  const known = new Map<string, Known>();
  const deleted = new Set<string>();
  /** Ids whose last change got no answer: the old and the new are both right. */
  const undecided = new Set<string>();
  const faults: string[] = [];
  let acknowledged = 0;
  let cutOff = 0;
  let serial = 0;
  let key = "";
  let mid: string | undefined;

  /** @returns `undefined` if there was no answer: the master was killed */
  async function send<T>(
    api: Api,
    method: string,
    path: string,
    wanted: number,
    body?: unknown,
  ): Promise<T | undefined> {
    const answer = await ask<T>(api, method, path, body).catch(() => undefined);
    if (answer === undefined) {
      cutOff += 1;
      return undefined;
    }
    if (answer.status !== wanted) faults.push(`${method} ${path} answers ${answer.status}`);
    acknowledged += 1;
    // DELETE has no body.
    return answer.body ?? (true as T);
  }

  async function create(api: Api, own: string[]): Promise<void> {
    const url = `server://127.0.0.1:0/127.0.0.1:${randomInt(1, 65_536)}`;
    const alias = `created ${serial++}`;
    const made = await send<InstanceAnswer>(api, "POST", "/instances", 201, { url, alias });
    if (made === undefined) return;
    known.set(made.id, { alias, url, restart: true, tag: "" });
    own.push(made.id);
  }

  async function remove(api: Api, id: string): Promise<void> {
    undecided.add(id);
    const done = await send(api, "DELETE", `/instances/${id}`, 204);
    if (done === undefined) return;
    undecided.delete(id);
    known.delete(id);
    deleted.add(id);
  }

  async function edit(api: Api, id: string, before: Known): Promise<void> {
    const name = `edited ${serial++}`;
    const after = [
      { ...before, alias: name },
      { ...before, tag: name },
      { ...before, restart: !before.restart },
    ][randomInt(0, 3)] as Known;
    undecided.add(id);
    const { alias, restart, tag } = after;
    const change = { alias, restart, meta: { tags: { tag } } };
    const done = await send(api, "PATCH", `/instances/${id}`, 200, change);
    if (done === undefined) return;
    undecided.delete(id);
    known.set(id, after);
  }

  /** One change after the other, of its own instances only (they have an order), to the end. */
  async function write(api: Api, own: string[]): Promise<void> {
    const cutOffBefore = cutOff;
    while (cutOff === cutOffBefore) {
      const id = own[randomInt(0, own.length + 1)];
      const before = id === undefined ? undefined : known.get(id);
      if (id === undefined || before === undefined) await create(api, own);
      else if (randomInt(0, 8) === 0) await remove(api, id);
      else await edit(api, id, before);
    }
  }

  async function compare(round: number, api: Api): Promise<void> {
    const list = await ask<InstanceAnswer[]>(api, "GET", "/instances");
    const found = new Map<string, Known>();
    for (const { id, type, alias, restart, url, meta } of list.body) {
      if (type !== "") found.set(id, { alias, restart, url, tag: meta.tags.tag ?? "" });
    }
    for (const [id, wanted] of known) {
      const is = found.get(id);
      if (undecided.has(id) || isDeepStrictEqual(is, wanted)) continue;
      faults.push(`start ${round}: ${JSON.stringify(is)} in place of ${JSON.stringify(wanted)}`);
    }
    for (const id of found.keys()) {
      if (deleted.has(id)) faults.push(`start ${round}: ${id} is back`);
    }
    // What was undecided is decided now, and a create without an answer may have made one.
    known.clear();
    undecided.clear();
    for (const [id, is] of found) known.set(id, is);
    for (const id of [...known.keys()].slice(mostInstances)) await remove(api, id);
  }

  for (let round = 0; ; round++) {
    const master = await start();
    if (round === 0) key = master.key;
    const api = { url: master.url, key };
    const info = await ask<{ mid: string }>(api, "GET", "/info");
    if (info.status !== 200) faults.push(`start ${round}: GET /info answers ${info.status}`);
    mid ??= info.body.mid;
    if (mid !== info.body.mid) faults.push(`start ${round}: the master has another id`);
    await compare(round, api);
    if (round === kills) {
      master.child.kill("SIGTERM");
      await master.ended;
      return { kills, acknowledged, cutOff, faults };
    }
    const enough = acknowledged + randomInt(1, 12);
    const shares = Array.from({ length: writers }, (_, writer) =>
      [...known.keys()].filter((_id, index) => index % writers === writer),
    );
    const writing = shares.map((own) => write(api, own));
    await vi.waitUntil(() => acknowledged >= enough, { timeout: 60_000, interval: 1 });
    // And a little more, so that it is not always just after an answer.
    await sleep(randomInt(0, 20));
    master.child.kill("SIGKILL");
    await master.ended;
    await Promise.all(writing);
  }
}
