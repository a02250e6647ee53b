import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FleetFile } from "@nodepass/fleet-agent";
import { describe, expect, it } from "vitest";
import { ask, runCommand, startMaster, temporaryFolder } from "./support/run-master.ts";

/** Writes the URL of each module that the process loads to standard error. */
const tellModules = [
  "--import",
  `data:text/javascript,import{registerHooks}from"node:module";registerHooks({load(url,context,next){process.stderr.write("module "+url+"\\n");return next(url,context)}})`,
];
const OF_A_FLEET = /@nats-io|node_modules\/ws\/|fleet-agent|fleet-protocol/;

const modules = (stderr: string) =>
  stderr.split("\n").filter((line) => line.startsWith("module file:"));

describe("a master in no fleet", () => {
  it("loads nothing of one and makes no file more", async () => {
    const folder = temporaryFolder();
    const master = await startMaster(folder, { nodeArguments: tellModules });
    expect((await ask(master, "GET", "/info")).status).toBe(200);
    master.child.kill("SIGTERM");
    const { code, stderr } = await master.ended;
    expect(code).toBe(0);
    const loaded = modules(stderr);
    expect(loaded.some((line) => line.includes("master-server"))).toBe(true);
    expect(loaded.filter((line) => OF_A_FLEET.test(line))).toEqual([]);
    expect(readdirSync(folder).filter((name) => !name.startsWith("nodepass.msgpack"))).toEqual([]);
  });

  it("leaves none", async () => {
    const environment = { NP_STATE_DIR: temporaryFolder() };
    const { code, stdout } = await runCommand({ argv: ["--leave"], environment });
    expect([code, stdout]).toEqual([0, "this master is in no fleet\n"]);
  });

  it("forgets one that has removed it", async () => {
    const folder = temporaryFolder();
    await FleetFile.create(folder, {
      ...{ v: 1, fleet: "prod", mid: "0123456789abcdef", seed: "", jwt: "jwt", pin: "", ca: "" },
      ...{ box: new Uint8Array(32), hubKey: new Uint8Array(32), fingerprint: "", servers: [] },
      ...{ issued: 0, expires: 0, hubs: ["https://127.0.0.1:1"], revision: 0, bucket: "" },
      ...{ left: "it was removed from the fleet", parts: [], former: [] },
    });
    const environment = { NP_STATE_DIR: folder };
    const { code, stdout } = await runCommand({ argv: ["--leave"], environment });
    const said = "0123456789abcdef was out of the fleet prod already";
    expect([code, stdout]).toEqual([0, `${said} (it was removed from the fleet): forgotten\n`]);
    expect(readdirSync(folder)).not.toContain("fleet.msgpack");
  });
});

describe("a master that is to join", () => {
  it.each([
    [["--join", "np2_secretsecret"], {}, "a join token begins with np1_"],
    [["--join", "np1_c2VjcmV0c2VjcmV0"], {}, "the join token is cut off or was changed"],
    [[], { NP_FLEET_JOIN: "np1_c2VjcmV0c2VjcmV0" }, "the join token is cut off or was changed"],
    [[], { NP_FLEET_JOIN_FILE: "/none/token" }, "NP_FLEET_JOIN_FILE can't be read"],
    [["--join", "np1_c2VjcmV0c2VjcmV0", "--allow", "all"], {}, '"all" is nothing that'],
    [["--allow", "foo"], {}, '"foo" is nothing that'],
    [[], { NP_FLEET_TARGETS: "a b" }, 'targets: "a b" is neither'],
  ])("ends with 1 for %j %j and quotes no secret", async (argv, variables, problem) => {
    const environment = { NP_STATE_DIR: temporaryFolder(), ...variables };
    const { code, stderr } = await runCommand({
      argv: ["master://127.0.0.1:0", ...argv],
      environment,
    });
    expect(code).toBe(1);
    expect(stderr).toContain(problem);
    expect(stderr).not.toContain("c2VjcmV0c2VjcmV0");
    expect(stderr).not.toContain("secretsecret");
  });

  it("runs alone where the file of an earlier join can't be read, and says so", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "fleet.msgpack"), "no MessagePack", { mode: 0o600 });
    const master = await startMaster(folder, { nodeArguments: tellModules });
    expect(master.stdout()).toMatch(/fleet: this master runs alone.*fleet\.msgpack can't be used/);
    expect((await ask(master, "GET", "/info")).status).toBe(200);
    master.child.kill("SIGTERM");
    const { stderr } = await master.ended;
    expect(modules(stderr).some((line) => OF_A_FLEET.test(line))).toBe(true);
  });
});
