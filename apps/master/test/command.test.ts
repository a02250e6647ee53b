import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { holdTunnel } from "./support/hold-tunnel.ts";
import {
  ask,
  runCommand,
  startCommand,
  startMaster,
  temporaryFolder,
} from "./support/run-master.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** Makes the child believe that it runs on another version of Node. */
const pretendNode = (node: string) => [
  "--import",
  `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"${node}"}})`,
];

describe("the command line", () => {
  it("prints its version", async () => {
    const result = await runCommand({ argv: ["--version"] });
    expect(result).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("prints its help", async () => {
    const { code, stdout, stderr } = await runCommand({ argv: ["--help"] });
    expect([code, stderr]).toEqual([0, ""]);
    for (const text of ["NP_MASTER_URL", "NP_STATE_DIR", "NP_WORKERS", "tls=1"]) {
      expect(stdout).toContain(text);
    }
  });

  it.each([[["--port", "1"]], [["master://:1", "log=info"]]])(
    "ends with 2 for %j",
    async (argv) => {
      const { code, stdout, stderr } = await runCommand({ argv });
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(/^nodepass-master: .*\nTry 'nodepass-master --help'\.\n$/);
    },
  );

  it.each([
    [["master://127.0.0.1:99999"], {}, "listen address"],
    [["master://:1?lgo=info"], {}, 'lgo "info" is no parameter'],
    [["server://hunter2@:1/:2"], {}, "server://"],
    [["master://hunter2@:1"], {}, "tunnel key"],
    [["master://:1"], { NP_WORKERS: "many" }, "NP_WORKERS"],
    [["master://:1"], { NP_SHUTDOWN_TIMEOUT: "soon" }, "NP_SHUTDOWN_TIMEOUT"],
    [["master://:1?tls=2&crt=/none/crt&key=/none/key"], {}, "cannot read certificate /none/crt"],
    [[], { NP_MASTER_URL: "http://x" }, "http://"],
  ])("ends with 1 and names the problem of %j %j", async (argv, variables, problem) => {
    const environment = { NP_STATE_DIR: temporaryFolder(), ...variables };
    const { code, stdout, stderr } = await runCommand({ argv, environment });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(problem);
    expect(stderr).not.toContain("hunter2");
    expect(stderr).toMatch(/^nodepass-master: [^\n]*\n$/);
  });

  it.each([
    ["18.20.0", 1],
    ["22.11.9", 1],
    ["22.12.0", 0],
    ["27.0.0", 0],
  ])("on Node %s ends with %i", async (node, expected) => {
    const { code, stderr } = await runCommand({
      argv: ["--version"],
      nodeArguments: pretendNode(node),
    });
    expect(code).toBe(expected);
    if (expected === 1) expect(stderr).toMatch(/^nodepass-master: needs Node\.js 22\.12 or newer/);
  });

  it("starts as a program of its own", () => {
    expect(readFileSync(new URL("../dist/main.js", import.meta.url), "utf8")).toMatch(
      /^#!\/usr\/bin\/env node\n/,
    );
  });
});

describe("a master", () => {
  it("says where it is, its key once, and stops gracefully", async () => {
    const state = temporaryFolder();
    const first = await startMaster(state, { url: "master://127.0.0.1:0/deep?log=debug" });
    expect(first.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/deep$/);
    expect(first.stdout()).toContain(`API docs: ${first.url}/docs\n`);
    expect(first.stdout()).toMatch(/^\d{4}-\d\d-\d\d [\d:.]{12} {2}INFO {3}master listening /m);
    expect(first.key).toMatch(/^[0-9a-f]{32}$/);
    expect(await ask(first, "GET", "/info")).toMatchObject({ status: 200, body: { log: "debug" } });
    first.child.kill("SIGTERM");
    const { code, stdout, stderr } = await first.ended;
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/master stopping reason=SIGTERM\n.*master stopped\n$/s);
    expect(stdout.split(first.key)).toHaveLength(2);
    expect(stdout).not.toContain("\x1b[");

    const second = await startMaster(state);
    expect(second.stdout()).not.toContain("API KEY");
    expect((await ask({ ...second, key: first.key }, "GET", "/info")).status).toBe(200);
    second.child.kill("SIGINT");
    expect((await second.ended).code).toBe(0);
    expect(second.stdout()).not.toContain(first.key);
  });

  it("gets a new key when it is stopped, for who has lost the old one", async () => {
    const environment = { NP_STATE_DIR: temporaryFolder() };
    const argv = ["--renew-key"];
    const none = await runCommand({ argv, environment });
    expect([none.code, none.stdout]).toEqual([1, ""]);
    expect(none.stderr).toContain("there is no state of a master in");

    const first = await startMaster(environment.NP_STATE_DIR);
    const locked = await runCommand({ argv, environment });
    expect([locked.code, locked.stdout]).toEqual([1, ""]);
    expect(locked.stderr).toContain(`is held by process ${first.child.pid}`);
    first.child.kill("SIGTERM");
    await first.ended;

    const renewed = await runCommand({ argv, environment });
    expect(renewed).toMatchObject({ code: 0, stderr: "" });
    expect(renewed.stdout).toMatch(/^[0-9a-f]{32}\n$/);
    const key = renewed.stdout.trim();
    const second = await startMaster(environment.NP_STATE_DIR);
    expect((await ask({ ...second, key }, "GET", "/info")).status).toBe(200);
    expect((await ask({ ...second, key: first.key }, "GET", "/info")).status).toBe(401);
  });

  it("logs JSON if asked to, and keeps standard output clean of all else", async () => {
    const { child, ended, waitFor } = startCommand({
      argv: ["master://127.0.0.1:0?log=debug", "--log-format=json"],
      environment: { NP_STATE_DIR: temporaryFolder() },
    });
    await waitFor(/"message":"master listening"/);
    child.kill("SIGTERM");
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/^API URL: .*\nAPI docs: .*\nDashboard: .*\nAPI KEY: .*\n$/);
    const messages = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).message);
    expect(messages).toEqual(expect.arrayContaining(["master listening", "master stopped"]));
  });

  it("takes its URL and its state from the environment", async () => {
    const home = temporaryFolder();
    const command = startCommand({
      environment: { NP_MASTER_URL: "master://127.0.0.1:0?log=none", HOME: home },
    });
    await command.waitFor(/^API KEY: .*\n/m);
    expect(existsSync(join(home, ".local/state/nodepass/nodepass.msgpack"))).toBe(true);
    command.child.kill("SIGTERM");
    const { code, stdout } = await command.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^API URL: .*\nAPI docs: .*\nDashboard: .*\nAPI KEY: .*\n$/);
  });

  it("sends event streams a shutdown when it stops", async () => {
    const master = await startMaster(temporaryFolder());
    const headers = { "X-API-Key": master.key };
    const response = await fetch(`${master.url}/events`, { headers });
    const text = response.text();
    master.child.kill("SIGTERM");
    expect(await text).toMatch(/event: instance\ndata: \{"type":"shutdown",[^\n]*\}\n\n$/);
    expect((await master.ended).code).toBe(0);
  });

  it("says who holds its state, and ends with 1", async () => {
    const state = temporaryFolder();
    const first = await startMaster(state);
    const second = await runCommand({
      argv: ["master://127.0.0.1:0"],
      environment: { NP_STATE_DIR: state },
    });
    expect([second.code, second.stdout]).toEqual([1, ""]);
    expect(second.stderr).toMatch(
      new RegExp(`^nodepass-master: .* is held by \\S+ ${first.child.pid}\\n$`),
    );
    expect((await ask(first, "GET", "/info")).status).toBe(200);
  });

  it("says that its address is in use, and ends with 1", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.close();
    });
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const { code, stderr } = await runCommand({
      argv: [`master://127.0.0.1:${port}?log=none`],
      environment: { NP_STATE_DIR: temporaryFolder() },
    });
    expect(code).toBe(1);
    expect(stderr).toBe(
      `nodepass-master: cannot listen on 127.0.0.1:${port}: the address is in use (EADDRINUSE)\n`,
    );
  });

  it("stops within its time while a connection is open, and at once at a second signal", async () => {
    const environment = { NP_SHUTDOWN_TIMEOUT: "1h" };
    const master = await startMaster(temporaryFolder(), { environment });
    const [target, held] = await holdTunnel(master);
    master.child.kill("SIGTERM");
    await master.waitFor(/master stopping/);
    expect(held.closed).toBe(false);
    master.child.kill("SIGINT");
    expect((await master.ended).code).toBe(130);
    target.close();
  });

  it("cuts what is open when its time is over, and ends with 0", async () => {
    const environment = { NP_SHUTDOWN_TIMEOUT: "300ms" };
    const master = await startMaster(temporaryFolder(), { environment });
    const [target, held] = await holdTunnel(master);
    master.child.kill("SIGTERM");
    expect(await master.ended).toMatchObject({ code: 0, stderr: "" });
    held.destroy();
    target.close();
  });

  it("goes on when nobody reads its log any more", async () => {
    const master = await startMaster(temporaryFolder(), { url: "master://127.0.0.1:0?log=debug" });
    master.child.stdout.destroy();
    for (let count = 0; count < 20; count++) {
      const url = "server://127.0.0.1:0/127.0.0.1:9";
      expect((await ask(master, "POST", "/instances", { url })).status).toBe(201);
    }
    master.child.kill("SIGTERM");
    expect((await master.ended).code).toBe(0);
  });
});
