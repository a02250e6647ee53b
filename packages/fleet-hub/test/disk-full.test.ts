import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServiceError } from "@nodepass/model";
import { findNatsServer } from "test-support/nats";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { TestFleet } from "./support/test-fleet.ts";

const LONG = { timeout: 60_000, interval: 200 };
/** Of the engine's disk. */
const DISK_MIB = 24;

/** A disk of its own, if this user may make one. */
function smallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "nodepass-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MIB}m`, "none", folder], {
      stdio: "ignore",
    });
    return folder;
  } catch {
    console.log("no file system of a few MiB can be mounted here: a full disk is not tried");
    void rm(folder, { recursive: true, force: true });
    return undefined;
  }
}
const disk = findNatsServer() === undefined ? undefined : smallDisk();
const here = disk === undefined ? describe.skip : describe;

here("an engine whose disk is full", () => {
  test("refuses changes, by 503, and leases go on; with room and a restart it takes them again", async () => {
    const folder = disk ?? "";
    onTestFinished(async () => {
      execFileSync("umount", ["-l", folder]);
      await rm(folder, { recursive: true, force: true });
    });
    const fleet = await TestFleet.start(1, "test", (config) => {
      const moved = config.replace(
        /store_dir: "[^"]*"/,
        `store_dir: "${folder}"\n max_file_store: 10737418240`,
      );
      expect(moved).not.toBe(config);
      return moved;
    });
    onTestFinished(() => fleet.close());
    const hub = await fleet.hub();
    const admin = fleet.admin(hub);
    const member = await fleet.member(hub);
    const { mid } = member.identity;
    const part = { url: "server://0.0.0.0:auto/127.0.0.1:80", master: mid, running: true };
    const create = (alias: string) =>
      hub.fleet.createService(admin, {
        alias,
        tags: {},
        policy: { failover: "strict", ttl: 3, failback: "never" },
        parts: [part],
      });
    const { sid } = await create("before");
    member.leaseEvery(750);
    await vi.waitFor(() => expect(member.serves(`${sid}/0`)).toBe(1), LONG);

    const ballast = await open(join(folder, "ballast"), "w");
    for (const size of [2 ** 20, 4096, 1]) {
      const bytes = new Uint8Array(size);
      try {
        for (;;) await ballast.write(bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: "ENOSPC" });
      }
    }
    await ballast.close();
    let refused: unknown;
    for (let n = 0; refused === undefined && n < 200; n += 1) {
      refused = await create(`full-${n}`).then(
        () => undefined,
        (error: unknown) => error,
      );
    }
    expect(refused).toBeInstanceOf(ServiceError);
    expect(refused).toMatchObject({ code: "UNAVAILABLE" });
    // Leases go on beyond those that were given before: the leader's record still fits where it is.
    const until = performance.now() + 6000;
    while (performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(member.serves(`${sid}/0`)).toBe(1);
    }
    // Nothing is taken from whoever runs something.
    expect(member.parts.has(`${sid}/0`)).toBe(true);
    await rm(join(folder, "ballast"));
    // nats-server 2.15 takes nothing more for a stream that it could not write to, before it starts anew.
    await fleet.servers[0]?.stop();
    await fleet.servers[0]?.restart();
    await vi.waitFor(
      async () => expect((await create("after")).parts[0]?.state).toBe("applied"),
      LONG,
    );
    await vi.waitFor(() => expect(member.serves(`${sid}/0`)).toBe(1), LONG);
  }, 120_000);
});
