import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { reservePort } from "test-support";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  expectPlain,
  installedIn,
  installWithNpm,
  packAll,
  workspaceClosure,
  workspaceFolder,
} from "./support/pack.ts";
import { runCli, startCli } from "./support/run-cli.ts";
import { askTcp, startEcho } from "./support/sockets.ts";

const run = promisify(execFile);

// A library user's program: what it declares must be what is there.
const program = `
import { openTunnel, type Tunnel, TunnelError } from "@nodepass/tunnel-core";

export async function forward(from: number, to: number): Promise<Tunnel> {
  const tunnel = await openTunnel(\`client://127.0.0.1:\${from}/127.0.0.1:\${to}?mode=1\`);
  tunnel.on("checkpoint", ({ tcps }) => tcps.toFixed());
  // @ts-expect-error: a counter is a number, so the types are no any
  const text: string = tunnel.counters().tcprx;
  if (text === "") throw new TunnelError("CLOSED", "never");
  return tunnel;
}
`;

const script = `
import { openTunnel } from "@nodepass/tunnel-core";
const [, , from, to] = process.argv;
const tunnel = await openTunnel("client://127.0.0.1:" + from + "/127.0.0.1:" + to + "?mode=1");
await tunnel.ready();
console.log("ready");
process.stdin.on("end", () => tunnel.close()).resume();
`;

// A fleet that has nothing, asked for a service.
const askHub = `
import { createHubApi } from "./lib/node_modules/@nodepass/fleet-hub/dist/index.js";
const nothing = new Proxy({}, { get: () => () => () => undefined });
const fleet = {
  verifyToken: () => ({ token: "t", role: "admin", selector: [], from: "" }),
  service: (caller, sid) => {
    throw Object.assign(new Error(\`no service "\${sid}"\`), { code: "NOT_FOUND" });
  },
};
const api = createHubApi({ fleet, messenger: nothing, presence: nothing, index: nothing });
const headers = { "X-API-Key": "npf_x" };
const answer = await api.app.request("/api/v1/fleet/services/nosuch", { headers });
console.log(JSON.stringify([answer.status, await answer.json()]));
await api.close();
`;

describe("the packages, packed and installed with npm into an empty folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "nodepass-pack-"));
  const command = join(folder, "node_modules/@nodepass/cli/dist/main.js");

  beforeAll(async () => {
    writeFileSync(join(folder, "package.json"), '{"private":true,"type":"module"}\n');
    const tarballs = await packAll(workspaceClosure("@nodepass/cli"), folder);
    await installWithNpm(folder, tarballs);
  }, 300_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("bring no native code and no install script", () => expectPlain(installedIn(folder)));

  it("have msgpackr's plain JavaScript, with its licence", async () => {
    const store = join(folder, "node_modules/@nodepass/store/dist");
    expect(readdirSync(join(store, "msgpackr")).sort()).toEqual([
      "LICENSE",
      "pack.js",
      "package.json",
      "unpack.js",
    ]);
    const { openStore } = await import(join(store, "index.js"));
    expect(openStore).toBeTypeOf("function");
  });

  it("give a working nodepass command", async () => {
    const { version } = JSON.parse(
      readFileSync(new URL("../package.json", import.meta.url), "utf8"),
    );
    const { stdout } = await run(join(folder, "node_modules/.bin/nodepass"), ["--version"]);
    expect(stdout).toBe(`${version}\n`);
  });

  it("give a command that explains a URL", async () => {
    const result = await runCli(["check", "server://:10101/:8080"], { entry: command });
    expect(result).toMatchObject({ code: 0, stderr: "" });
  });

  it("give a command that runs a tunnel", async () => {
    const [port, echo] = [await reservePort(), await startEcho()];
    const url = `client://127.0.0.1:${port}/127.0.0.1:${echo}?mode=1`;
    const { child, ended, waitFor } = startCli([url], { entry: command });
    await waitFor(/INFO/);
    await expect.poll(() => askTcp(port, "hello").catch(String), { timeout: 20_000 }).toBe("hello");
    child.kill("SIGTERM");
    expect(await ended).toMatchObject({ code: 0, stderr: "" });
  });

  it("give a library that opens a tunnel", async () => {
    const [port, echo] = [await reservePort(), await startEcho()];
    const entry = join(folder, "forward.mjs");
    writeFileSync(entry, script);
    const { child, ended, waitFor } = startCli([String(port), String(echo)], { entry });
    await waitFor(/ready/);
    expect(await askTcp(port, "hello")).toBe("hello");
    child.stdin.end();
    expect(await ended).toEqual({ code: 0, stdout: "ready\n", stderr: "" });
  });

  it("give a library with types", async () => {
    writeFileSync(join(folder, "forward.ts"), program);
    const compilerOptions = {
      module: "nodenext",
      target: "es2023",
      strict: true,
      noEmit: true,
      types: ["node"],
      typeRoots: [join(workspaceFolder, "node_modules/@types")],
    };
    const config = { compilerOptions, files: ["forward.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const tsc = join(workspaceFolder, "node_modules/.bin/tsc");
    const result = await run(tsc, ["-p", folder]).catch((error: unknown) => error);
    expect(result).toMatchObject({ stdout: "" });
  });

  it("bring a manual page, which npm puts where man looks for it", async () => {
    const prefix = join(folder, "prefix");
    const tarballs = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
    const flags = ["--global", `--prefix=${prefix}`];
    await installWithNpm(folder, [...flags, ...tarballs.map((name) => join(folder, name))]);
    const page = readFileSync(join(prefix, "share/man/man1/nodepass.1"), "utf8");
    expect(page).toContain(".TH NODEPASS 1");
    expect(existsSync(join(prefix, "bin/nodepass"))).toBe(true);

    // Each package has its own Hono there: a hub's refusals are to be what they are all the same.
    const entry = join(prefix, "ask-hub.mjs");
    writeFileSync(entry, askHub);
    const asked = await run(process.execPath, [entry]);
    expect(JSON.parse(asked.stdout)).toEqual([404, { error: 'no service "nosuch"' }]);
  }, 300_000);

  it("hold no tests and nothing but what is declared", async () => {
    const listing = await run("find", [join(folder, "node_modules/@nodepass"), "-type", "f"]);
    const files = listing.stdout.trim().split("\n");
    expect(files.filter((file) => /\.test\.|\.tsbuildinfo$/.test(file))).toEqual([]);
  });
});
