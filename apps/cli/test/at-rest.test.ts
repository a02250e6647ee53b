import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { startCli } from "./support/run-cli.ts";
import { sourcesOf } from "./support/sources-of.ts";

/** Of one end, MB. It is 63 with Node 26 and was 85; Nodes and machines differ by a few. */
const MOST_RSS_MB = 75;

const hook = new URL("support/list-loaded.mjs", import.meta.url).href;

interface Loaded {
  readonly files: readonly string[];
  readonly builtins: readonly string[];
}

// Node 22.15 and newer have the hooks that the list is made with.
it.runIf("registerHooks" in nodeModule).each([
  ["server://a-key@127.15.8.1:10101/127.15.8.1:8080?mode=1", "listening"],
  ["server://a-key@127.15.8.1:10102/127.15.8.1:8084?mode=1&tls=1", "listening"],
  ["client://127.15.8.1:8081/127.15.8.1:8082?mode=1", "forwarding"],
  ["client://a-key@127.15.8.1:10109/127.15.8.1:8083?mode=2", "starting"],
])("an end loads what it needs and no more: %s", async (url, started) => {
  const folder = mkdtempSync(join(tmpdir(), "nodepass-at-rest-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const list = join(folder, "loaded.json");
  const { child, ended, waitFor } = startCli([url], {
    environment: { LOADED_LIST: list },
    nodeArguments: ["--import", hook],
  });
  await waitFor(new RegExp(started));
  child.kill("SIGTERM");
  expect(await ended).toMatchObject({ code: 0, stderr: "" });

  const { files, builtins }: Loaded = JSON.parse(readFileSync(list, "utf8"));
  const sources = sourcesOf(files);
  const has = (part: string) => sources.some((source) => source.includes(part));
  // What it is made of, so that the list below is known to mean something.
  for (const needed of ["tunnel-core/dist/open-tunnel", "cli/src/program.ts", "/tslog/"]) {
    expect([needed, has(needed)]).toEqual([needed, true]);
  }
  const unwanted = [
    ["zod", "yaml", "hono", "cli-table3", "qr", "eventsource-parser", "msgpackr"].map(
      (name) => `/node_modules/${name}/`,
    ),
    ["master-api", "master-server", "instances", "store", "config-file", "desired-state"].map(
      (name) => `/packages/${name}/`,
    ),
    ["/packages/fleet-", "/@nats-io/", "cli/src/fleet/"],
    ["master-client/dist/master-client", "carrier/websocket/websocket-carrier", "carrier/http2/"],
    ["cli/src/commands/more-commands", "cli/src/master/", "cli/src/top/", "cli/src/remote/"],
  ].flat();
  expect(unwanted.filter(has)).toEqual([]);
  const unwantedBuiltins = [
    ...(url.includes("tls=1") ? [] : ["tls", "internal/tls/wrap"]),
    ...["http2", "internal/deps/undici/undici", "internal/crypto/webcrypto", "worker_threads"],
  ];
  expect(unwantedBuiltins.filter((name) => builtins.includes(name))).toEqual([]);
  // Each is a module for Node's loader to keep.
  expect(files.length).toBeLessThanOrEqual(20);
});

it.runIf(existsSync("/proc/self/smaps_rollup"))("an end at rest is small", async () => {
  const start = performance.now();
  const url = "server://a-key@127.15.8.2:10101/127.15.8.2:8080?mode=1";
  const { child, ended, waitFor } = startCli([url]);
  await waitFor(/listening/);
  const startMs = performance.now() - start;
  // What starting leaves behind is part of it.
  const megabytes = (name: string) => {
    const text = readFileSync(`/proc/${child.pid}/smaps_rollup`, "utf8");
    return Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(text)?.[1]) * 1.024e-3;
  };
  const figures = { startMs, rssMB: megabytes("Rss"), pssMB: megabytes("Pss") };
  child.kill("SIGTERM");
  expect(await ended).toMatchObject({ code: 0, stderr: "" });
  const report = process.env.NODEPASS_FIGURES;
  if (report !== undefined) writeFileSync(report, `${JSON.stringify(figures)}\n`, { flag: "a" });
  expect(figures.rssMB).toBeLessThanOrEqual(MOST_RSS_MB);
});
