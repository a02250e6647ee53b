import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { canMakeDisks, LoopDisk } from "test-support/loop-disk";
import { findNatsServer } from "test-support/nats";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startEcho, use } from "./trials/support/echo.ts";
import { Place } from "./trials/support/place.ts";
import { startRealMaster } from "./trials/support/real-master.ts";

const LONG = { timeout: 60_000, interval: 200 };
/** Of the master's disk. */
const DISK_MIB = 8;
const MASTER = "127.72.10.1";

const here = findNatsServer() !== undefined && canMakeDisks() ? describe : describe.skip;

interface Told {
  readonly sid: string;
  readonly parts: readonly { readonly state: string; readonly reason: string }[];
}

/** A fleet with one real master, whose state is on a disk of its own. */
async function setUp() {
  const disk = await LoopDisk.make(DISK_MIB);
  onTestFinished(() => disk.close());
  const place = await Place.start({ hubPort: true });
  onTestFinished(() => place.close());
  await place.hub();
  const target = await startEcho(MASTER);
  onTestFinished(() => target.close());
  const folder = join(disk.folder, "state");
  await mkdir(folder);
  const { token } = await place.ask<{ token: string }>("POST", "/fleet/tokens", { kind: "join" });
  let master = await startRealMaster(MASTER, token, folder);
  onTestFinished(() => master.close());
  const isOnline = async () => {
    const [one] = await place.ask<{ mid: string; status: string; version: string }[]>(
      "GET",
      "/fleet/masters",
    );
    expect(one).toMatchObject({ status: "online", version: expect.stringMatching(/./) });
    return one?.mid ?? "";
  };
  const mid = await vi.waitFor(isOnline, LONG);
  return {
    disk,
    isOnline,
    create: (alias: string, port: number) => {
      const url = `client://${MASTER}:${port}/${MASTER}:${target.port}?mode=1&log=none`;
      const body = { alias, parts: [{ url, master: mid }] };
      return place.ask<Told>("POST", "/fleet/services", body);
    },
    remove: ({ sid }: Told) => place.ask("DELETE", `/fleet/services/${sid}`),
    stop: ({ sid }: Told) =>
      place.ask<Told>("PATCH", `/fleet/services/${sid}`, { parts: [{ running: false }] }),
    told: ({ sid }: Told) => place.ask<Told>("GET", `/fleet/services/${sid}`),
    instances: () =>
      place.ask<{ alias: string; status: string }[]>("GET", `/masters/${mid}/api/v1/instances`),
    exitCode: () => master.child.exitCode,
    restart: async () => {
      await master.close();
      master = await startRealMaster(MASTER, undefined, folder);
    },
  };
}

here("a master whose disk is full, or read only", () => {
  test("goes on with its tunnels, says why it can't do what it is told, and does it when it can", async () => {
    const { disk, create, remove, stop, told, instances, exitCode, isOnline } = await setUp();
    const stays = await create("stays", 7001);
    const stopped = await create("stopped", 7002);
    const removed = await create("removed", 7003);
    for (const port of [7001, 7002, 7003]) expect(await use(MASTER, port)).toBe("hello");

    const makeRoom = await disk.fill();
    const [late, unstopped] = await Promise.all([
      create("late", 7004),
      stop(stopped),
      remove(removed),
    ]);
    for (const { parts } of [late, unstopped]) {
      expect(parts).toMatchObject([
        { state: "failed", reason: expect.stringMatching(/saved.*ENOSPC/) },
      ]);
    }
    // What can't be saved is not done: the next start would do otherwise.
    for (const port of [7001, 7002, 7003]) expect(await use(MASTER, port)).toBe("hello");
    expect(await use(MASTER, 7004)).toBe("");
    await isOnline();
    expect((await instances()).map(({ alias }) => alias).sort()).toEqual([
      "",
      "removed",
      "stays",
      "stopped",
    ]);

    await makeRoom();
    await vi.waitFor(async () => {
      expect((await told(late)).parts).toMatchObject([{ state: "applied" }]);
      expect((await told(stopped)).parts).toMatchObject([{ state: "applied" }]);
      const list = await instances();
      expect(list.map(({ alias }) => alias).sort()).toEqual(["", "late", "stays", "stopped"]);
    }, LONG);
    expect(await use(MASTER, 7004)).toBe("hello");
    expect(await use(MASTER, 7001)).toBe("hello");
    expect(await use(MASTER, 7002)).toBe("");
    expect((await told(stays)).parts).toMatchObject([{ state: "applied" }]);
    expect(exitCode()).toBeNull();
  }, 120_000);

  test("has nothing half done after a kill, and learns the rest from the hub", async () => {
    const { disk, create, remove, told, instances, restart } = await setUp();
    const stays = await create("stays", 7001);
    const removed = await create("removed", 7003);
    disk.readOnly(true);
    const [late] = await Promise.all([create("late", 7004), remove(removed)]);
    expect(late.parts).toMatchObject([
      { state: "failed", reason: expect.stringMatching(/saved.*EROFS/) },
    ]);
    expect(await use(MASTER, 7001)).toBe("hello");
    disk.readOnly(false);
    await restart();
    await vi.waitFor(async () => {
      expect((await told(late)).parts).toMatchObject([{ state: "applied" }]);
      const list = await instances();
      expect(list.map(({ alias }) => alias).sort()).toEqual(["", "late", "stays"]);
    }, LONG);
    expect(await use(MASTER, 7001)).toBe("hello");
    expect(await use(MASTER, 7004)).toBe("hello");
    expect((await told(stays)).parts).toMatchObject([{ state: "applied" }]);
  }, 120_000);
});
