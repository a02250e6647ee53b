import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FLEET_FILE_NAME } from "@nodepass/fleet-agent";
import { PreparedSchema } from "@nodepass/fleet-protocol";
import { findNatsServer } from "test-support/nats";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { HonestHub } from "./support/honest-hub.ts";
import { temporaryFolder } from "./support/member.ts";

const WAIT = { timeout: 60_000, interval: 50 };
const program = fileURLToPath(new URL("../../../apps/master/dist/main.js", import.meta.url));

describe.skipIf(findNatsServer() === undefined)("nodepass-master", () => {
  const closers: (() => unknown)[] = [];
  let hub: HonestHub;
  beforeAll(async () => {
    hub = await HonestHub.start();
  });
  afterAll(() => hub.close());
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  function start(folder: string, argv: readonly string[], variables: Record<string, string> = {}) {
    const child: ChildProcess = spawn(process.execPath, [program, ...argv], {
      env: { PATH: process.env.PATH, NP_STATE_DIR: folder, NP_WORKERS: "0", ...variables },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout?.on("data", (text) => {
      output += String(text);
    });
    child.stderr?.on("data", (text) => {
      output += String(text);
    });
    const ended = once(child, "close").then(([code]) => code);
    const stop = async () => {
      child.kill("SIGTERM");
      return ended;
    };
    closers.push(() => {
      child.kill("SIGKILL");
      return ended;
    });
    return { output: () => output, ended, stop };
  }

  test("joins with a token, comes back without one, and leaves", async () => {
    const folder = temporaryFolder(closers);
    const token = hub.token();
    const first = start(folder, ["master://127.0.0.1:0", "--join", token]);
    await vi.waitFor(() => expect(first.output()).toContain("fleet: synced"), WAIT);
    const mid = hub.syncs.at(-1)?.mid ?? "";
    expect((await hub.api(mid, { path: "/api/info", access: "viewer" })).status).toBe(200);
    expect(statSync(join(folder, FLEET_FILE_NAME)).mode & 0o777).toBe(0o600);
    // Not while it runs.
    const early = start(folder, ["--leave"]);
    expect(await early.ended).toBe(1);
    expect(early.output()).toContain("the master has to be stopped first");
    expect(await first.stop()).toBe(0);
    expect(first.output()).not.toContain(token);

    const { joins } = hub;
    // A token that is still in a container's environment is not used again.
    const again = start(folder, ["master://127.0.0.1:0"], { NP_FLEET_JOIN: token });
    await vi.waitFor(() => expect(hub.syncs.length).toBeGreaterThan(1), WAIT);
    await vi.waitFor(() => expect(again.output()).toContain("fleet: a member already"), WAIT);
    expect([hub.joins, hub.syncs.at(-1)?.mid]).toEqual([joins, mid]);
    expect(await again.stop()).toBe(0);

    const leaving = start(folder, ["--leave"]);
    expect(await leaving.ended).toBe(0);
    expect(leaving.output()).toContain(`${mid} has left the fleet demo`);

    const copy = start(folder, ["master://127.0.0.1:0", "--join", token, "--new-identity"]);
    await vi.waitFor(() => expect(copy.output()).toContain("fleet: synced"), WAIT);
    expect(hub.syncs.at(-1)?.mid).not.toBe(mid);
    expect(await copy.stop()).toBe(0);
  });

  test("what its owner has said of the fleet holds till he says something else", async () => {
    const folder = temporaryFolder(closers);
    const token = hub.token();
    const url = "client://127.44.3.6:4601/127.44.3.7:4602?mode=1";
    const life = async (argv: readonly string[], variables: Record<string, string> = {}) => {
      const syncs = hub.syncs.length;
      const master = start(folder, ["master://127.0.0.1:0", ...argv], variables);
      await vi.waitFor(() => expect(hub.syncs.length).toBeGreaterThan(syncs), WAIT);
      const { mid, sync } = hub.syncs.at(-1) ?? { mid: "" };
      const made = await hub.ask(mid, "prepare", { url, key: null }, PreparedSchema);
      expect(await master.stop()).toBe(0);
      return [sync?.allow.join(), made.ok] as const;
    };
    expect(
      await life(["--join", token, "--allow", "read,apply", "--targets", "10.0.0.0/8"]),
    ).toEqual(["apply,read", false]);
    expect(await life([])).toEqual(["apply,read", false]);
    const said = { NP_FLEET_ALLOW: "read", NP_FLEET_TARGETS: "any" };
    expect(await life(["--allow", "apply"], said)).toEqual(["apply", true]);
    expect(await life(["--join", token, "--new-identity"])).toEqual(["apply", true]);
    expect(await life([], { ...said, NP_FLEET_TARGETS: "127.44.3.8" })).toEqual(["read", false]);
  });

  test("does not start when the hub refuses it, and says why", async () => {
    const folder = temporaryFolder(closers);
    hub.refuseJoin = "this token was used";
    try {
      const refused = start(folder, ["master://127.0.0.1:0", "--join", hub.token()]);
      expect(await refused.ended).toBe(1);
      expect(refused.output()).toContain("refuses: this token was used");
    } finally {
      hub.refuseJoin = undefined;
    }
  });
});
