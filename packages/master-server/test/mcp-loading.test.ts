import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { temporaryFolder } from "./support/start-master.ts";

const server = fileURLToPath(new URL("../dist/index.js", import.meta.url));

/** A built master in a process of its own that says what it has loaded, and how big it is. */
const script = `
import { registerHooks } from "node:module";
const seen = new Set();
registerHooks({
  load(url, context, next) {
    const name = /(@modelcontextprotocol\\/\\w+|packages\\/mcp)\\//.exec(url)?.[1];
    if (name !== undefined) seen.add(name);
    return next(url, context);
  },
});
const { runMaster } = await import(${JSON.stringify(server)});
const { parseMasterUrl } = await import("@nodepass/url-config");
const master = await runMaster({
  settings: parseMasterUrl("master://127.0.0.1:0"),
  stateDirectory: process.argv[1],
  workers: 0,
});
const headers = { "X-API-Key": master.apiKey, "Content-Type": "application/json" };
const ask = async (path, init) => (await fetch(master.url + path, { headers, ...init })).text();
await ask("/instances");
await ask("/instances", { method: "POST", body: JSON.stringify({ url: "client://127.81.7.4:0/127.81.7.4:9?mode=1" }) });
// A stranger loads nothing either.
await ask("/v2", { method: "POST", body: "{}", headers: {} });
await ask("/v2", { method: "GET" });
const rss = () => Math.round(process.memoryUsage.rss() / 1e5) / 10;
const before = { loaded: [...seen], rss: rss() };
const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
const list = JSON.parse(await ask("/v2", { method: "POST", body }));
console.log(JSON.stringify({ before, tools: list.result.tools.length, after: { loaded: [...seen], rss: rss() } }));
await master.close();
`;

it("a master loads nothing for agents before the first of them asks", async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", script, temporaryFolder()],
    { cwd: fileURLToPath(new URL("..", import.meta.url)) },
  );
  const { before, after, tools } = JSON.parse(stdout);
  expect([before.loaded, tools]).toEqual([[], 19]);
  expect(after.loaded).toEqual(
    expect.arrayContaining(["@modelcontextprotocol/server", "packages/mcp"]),
  );
  // A figure, no bound: the machine and the collector decide.
  expect(after.rss).toBeGreaterThan(0);
});
