import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { startMaster, temporaryFolder } from "./support/start-master.ts";

const baseline = fileURLToPath(new URL("support/conformance-baseline.yml", import.meta.url));

/** What applies: each of them has something to check here, and passes. */
const APPLIES = [
  "server-initialize",
  "ping",
  "tools-list",
  "resources-list",
  "prompts-list",
  "dns-rebinding-protection",
];

/** The suite of npm, which is a command and exports nothing. */
const suite = fileURLToPath(
  new URL("../node_modules/@modelcontextprotocol/conformance/dist/index.js", import.meta.url),
);
const isInstalled = existsSync(suite);

/** The suite sends no key, so something on the way does: where the check of the origin is what counts. */
async function startKeyProxy(api: string, key: string): Promise<string> {
  const { hostname, port, pathname } = new URL(`${api}/v2`);
  const proxy = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, "x-api-key": key };
    const asked = request({ hostname, port, path: pathname, method: incoming.method, headers });
    asked.on("response", (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    asked.on("error", () => outgoing.destroy());
    incoming.pipe(asked);
  });
  // The suite checks rebinding on this very name only.
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  onTestFinished(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/`;
}

const what = isInstalled
  ? "the protocol's conformance suite finds nothing in what applies"
  : "SKIPPED: @modelcontextprotocol/conformance is not installed";

it.runIf(isInstalled)(what, { timeout: 120_000 }, async () => {
  const { master } = await startMaster();
  const url = await startKeyProxy(master.url, master.apiKey);
  const results = temporaryFolder();
  const args = [
    "server",
    "--url",
    url,
    "--suite",
    "all",
    "-o",
    results,
    "--expected-failures",
    baseline,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [suite, ...args]).catch(
    (error: { stdout?: string }) => {
      // The end of what it says is the summary.
      throw new Error(`the suite found something:\n${error.stdout?.slice(-6000)}`);
    },
  );
  expect(stdout).toContain("=== SUMMARY ===");
  for (const scenario of APPLIES) {
    const folder = readdirSync(results).find((name) => name.startsWith(`server-${scenario}-2`));
    const checks = JSON.parse(readFileSync(`${results}/${folder}/checks.json`, "utf8"));
    const states = checks.map(({ status }: { status: string }) => status);
    expect([scenario, states.length > 0, new Set(states)]).toEqual([
      scenario,
      true,
      new Set(["SUCCESS"]),
    ]);
  }
});
