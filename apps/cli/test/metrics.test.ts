import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { reservePort } from "test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "./support/folder.ts";
import { runCli, startCli } from "./support/run-cli.ts";
import { askTcp, startEcho } from "./support/sockets.ts";
import { sourcesOf } from "./support/sources-of.ts";

const served = /INFO {3}metrics served url=(\S+)\n/;

async function scrape(url: string): Promise<string> {
  const answer = await fetch(url);
  expect(answer.status).toBe(200);
  return answer.text();
}

/** A server and a client, both with metrics; the client's by the variable. */
async function startPair() {
  const [tunnel, entry, echo] = [await reservePort(), await reservePort(), await startEcho()];
  const server = startCli([
    ...["--metrics", "127.0.0.1:0"],
    `server://k@127.0.0.1:${tunnel}/127.0.0.1:${entry}?mode=1`,
  ]);
  const client = startCli([`client://k@127.0.0.1:${tunnel}/127.0.0.1:${echo}?mode=2&min=2`], {
    environment: { NP_METRICS: ":0" },
  });
  await expect.poll(() => askTcp(entry, "ready").catch(String), { timeout: 20_000 }).toBe("ready");
  const [, serverUrl = ""] = await server.waitFor(served);
  const [, clientUrl = ""] = await client.waitFor(served);
  // The variable is no slip for another one.
  expect(client.stdout()).not.toMatch(/environment problem/);
  return { server, client, serverUrl, clientUrl, entry };
}

describe("--metrics", () => {
  it("serves what each end of a tunnel counts and measures, on this machine only", async () => {
    const { server, serverUrl, clientUrl, entry } = await startPair();
    expect([serverUrl, clientUrl]).toEqual([
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/),
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/),
    ]);
    expect(await askTcp(entry, "hello")).toBe("hello");
    const at = (type: string) => `{id="tunnel",alias="tunnel",type="${type}"}`;
    const page = await scrape(serverUrl);
    for (const line of [
      `nodepass_instance_up${at("server")} 1`,
      `nodepass_instance_peer_connected${at("server")} 1`,
      'nodepass_instances{status="running"} 1',
      `nodepass_instance_handshake_seconds_count${at("server")} 1`,
    ]) {
      expect(page.split("\n")).toContain(line);
    }
    expect(page).toMatch(/^nodepass_instance_pool_wait_seconds_count.* [1-9]/m);
    const exit = await scrape(clientUrl);
    expect(exit).toMatch(/^nodepass_instance_dial_seconds_count.* [1-9]/m);
    expect(exit).toMatch(/^nodepass_instance_first_byte_seconds_bucket.*le="\+Inf"\} [1-9]/m);
    expect(exit).toMatch(/^process_cpu_seconds_total \d/m);
    if (existsSync("/usr/bin/promtool")) {
      for (const text of [page, exit]) {
        const said = execFileSync("/usr/bin/promtool", ["check", "metrics"], { input: text });
        expect(String(said)).toBe("");
      }
    } else console.warn("left out: there is no promtool here (Debian's package prometheus)");

    server.child.kill("SIGTERM");
    expect((await server.ended).code).toBe(0);
    await expect(fetch(serverUrl)).rejects.toThrow();
  });

  it("serves the tunnels of a file by their names, and follows what becomes of them", async () => {
    const [web, more, echo] = [await reservePort(), await reservePort(), await startEcho()];
    const file = join(temporaryFolder(), "nodepass.yaml");
    const line = (name: string, port: number) =>
      `  ${name}: "client://127.0.0.1:${port}/127.0.0.1:${echo}?mode=1"\n`;
    writeFileSync(file, `tunnels:\n${line("web", web)}`);
    const running = startCli(["run", "--metrics", "0", file]);
    const [, url = ""] = await running.waitFor(served);
    await running.waitFor(/configuration in force/);
    expect(await scrape(url)).toContain('up{id="web",alias="web",type="client"} 1');
    writeFileSync(file, `tunnels:\n${line("other", web)}${line("more", more)}`);
    running.child.kill("SIGHUP");
    const ids = async () =>
      Array.from(
        (await scrape(url)).matchAll(/^nodepass_instance_up\{id="(\w+)"/gm),
        ([, id]) => id,
      );
    await expect.poll(ids, { timeout: 20_000 }).toEqual(["other", "more"]);
  });

  it("warns when other machines reach it", async () => {
    const running = startCli(["--metrics", "0.0.0.0:0", "client://127.0.0.1:0/127.0.0.1:1?mode=1"]);
    await running.waitFor(/WARN {3}metrics are served to other machines, without a key/);
  });

  it.each([
    ["nonsense", /--metrics "nonsense" is not an address \(allowed: a port, /],
    ["127.0.0.1:70000", /--metrics "127.0.0.1:70000" is not an address/],
    ["", /--metrics "" is not an address/],
  ])("refuses %j with what is allowed", async (address, message) => {
    const { code, stderr } = await runCli([
      ...["--metrics", address],
      "client://127.0.0.1:0/127.0.0.1:1?mode=1",
    ]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it("names the variable where that is wrong, and a master's URL where it has no use", async () => {
    const url = "client://127.0.0.1:0/127.0.0.1:1?mode=1";
    const variable = await runCli([url], { environment: { NP_METRICS: "x" } });
    expect([variable.code, variable.stderr]).toEqual([
      2,
      expect.stringContaining('NP_METRICS "x"'),
    ]);
    const master = await runCli(["--metrics", "9464", "master://127.0.0.1:0"]);
    expect([master.code, master.stderr]).toEqual([
      2,
      expect.stringContaining("a master has /metrics in its API"),
    ]);
  });

  it("a port that is taken ends the command before the tunnel opens", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void taken.close());
    await new Promise((resolve) => taken.once("listening", resolve));
    const { port } = taken.address() as AddressInfo;
    const { code, stderr, stdout } = await runCli([
      ...["--metrics", `${port}`],
      "client://127.0.0.1:0/127.0.0.1:1?mode=1",
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`cannot serve metrics at http://127\\.0\\.0\\.1:${port}/metrics: .*in use`),
    );
    expect(stdout).not.toContain("forwarding");
  });

  it("loads no HTTP framework and no schemas", async () => {
    const tell = `import { registerHooks } from "node:module";
      registerHooks({ load: (url, context, next) => (console.error(url), next(url, context)) });`;
    const running = startCli(["--metrics", "0", "client://127.0.0.1:0/127.0.0.1:1?mode=1"], {
      nodeArguments: ["--import", `data:text/javascript,${encodeURIComponent(tell)}`],
    });
    const [, url = ""] = await running.waitFor(served);
    await scrape(url);
    const files = running.stderr().match(/^file:\S+$/gm) ?? [];
    const modules = sourcesOf(files).join("\n");
    expect(modules).toContain("/metrics-server.");
    expect(modules).not.toMatch(/node_modules\/(?:hono|zod|@hono)\//);
  });
});
