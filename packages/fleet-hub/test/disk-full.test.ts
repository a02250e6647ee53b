import { setTimeout as delay } from "node:timers/promises";
import { canMakeDisks, LoopDisk } from "test-support/loop-disk";
import { findNatsServer } from "test-support/nats";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startEcho, use } from "./trials/support/echo.ts";
import { onDisk } from "./trials/support/on-disk.ts";
import { Place } from "./trials/support/place.ts";
import { startRealMaster } from "./trials/support/real-master.ts";

const LONG = { timeout: 60_000, interval: 200 };
/** Of the engine's disk. */
const DISK_MIB = 24;
const MASTER = "127.72.9.1";
const TTL_S = 3;
/** Longer than a hub leads without a write and a lease lasts after that, ms. */
const WATCHED_MS = 9000;

const here = findNatsServer() !== undefined && canMakeDisks() ? describe : describe.skip;

here("an engine whose disk is full", () => {
  test("refuses changes, by 503; leases, tunnels and pass-through go on; with room and a restart it takes them again", async () => {
    const disk = await LoopDisk.make(DISK_MIB);
    onTestFinished(() => disk.close());
    const place = await Place.start({
      hubPort: true,
      alter: (config) => onDisk(config, disk.folder),
    });
    onTestFinished(() => place.close());
    await place.hub();
    const { token } = await place.ask<{ token: string }>("POST", "/fleet/tokens", { kind: "join" });
    const master = await startRealMaster(MASTER, token);
    onTestFinished(() => master.close());
    const target = await startEcho(MASTER);
    onTestFinished(() => target.close());
    const mid = await vi.waitFor(async () => {
      const [one] = await place.ask<{ mid: string; status: string; version: string }[]>(
        "GET",
        "/fleet/masters",
      );
      expect(one).toMatchObject({ status: "online", version: expect.stringMatching(/./) });
      return one?.mid ?? "";
    }, LONG);
    const create = (alias: string, port: number) =>
      place.ask<{ sid: string; parts: { state: string }[] }>("POST", "/fleet/services", {
        alias,
        policy: { failover: "strict", ttl: TTL_S },
        parts: [
          {
            url: `client://${MASTER}:${port}/${MASTER}:${target.port}?mode=1&log=none`,
            master: mid,
          },
        ],
      });
    await create("before", 7001);
    await vi.waitFor(async () => expect(await use(MASTER, 7001)).toBe("hello"), LONG);

    const makeRoom = await disk.fill();
    let refused = "";
    for (let n = 0; refused === "" && n < 200; n += 1) {
      refused = await create(`full-${n}`, 7100 + n).then(() => "", String);
    }
    expect(refused).toContain("503");
    expect(refused).toContain("refused, since the audit can't be stored");
    const until = performance.now() + WATCHED_MS;
    while (performance.now() < until) {
      await delay(300);
      expect(await use(MASTER, 7001)).toBe("hello");
      const { status } = await fetch(`${place.hubs[0]?.url}/masters/${mid}/api/v1/instances`, {
        headers: { "X-API-Key": place.created.adminToken },
      });
      expect(status).toBe(200);
    }
    const figures = await place.hubs[0]?.calls.ask<{ leading: boolean }>("figures");
    expect(figures?.leading).toBe(true);

    await makeRoom();
    // nats-server 2.15 takes nothing more for a stream that it could not write to, before it starts anew.
    await place.engine.stop();
    await place.engine.restart();
    await vi.waitFor(async () => {
      expect((await create("after", 7002)).parts[0]?.state).toBe("applied");
    }, LONG);
    await vi.waitFor(async () => expect(await use(MASTER, 7002)).toBe("hello"), LONG);
    expect(await use(MASTER, 7001)).toBe("hello");
  }, 120_000);
});
