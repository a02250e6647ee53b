#!/usr/bin/env node
/**
 * Reloads a file again and again while users are there, and counts what they lose and what grows:
 * node apps/cli/scripts/reload-trial.mjs
 *   [--reloads N]  (default 1000)
 *
 * `nodepass run FILE` runs in a process of its own with tunnels that never change, that change in
 * place, that are replaced, and one that comes and goes; this process is users and target. Held
 * connections are used all the time; short ones come one after the other. It ends with 1 if a
 * connection was lost, or if more sockets, timers or memory are there at the end than at the start.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { reloads: { type: "string", default: "1000" } } });
const reloads = Number(values.reloads);
/** Time of connections to end, s; the process's own measure of what it holds waits for it. */
const DRAIN_S = 2;
/** Growth that counts as one: heap, MiB. */
const MAX_HEAP_MIB = 3;
/** Longest wait for one reload, ms. */
const RELOAD_LIMIT_MS = 60_000;
/** Seconds that pools get to shrink again. */
const MAX_LOOKS = 60;
const HELD_EACH = 10;
const SHORT_EACH = 4;

const host = `127.41.${process.pid % 250}.${1 + (Math.trunc(process.pid / 250) % 250)}`;
const folder = mkdtempSync(join(tmpdir(), "nodepass-trial-"));
const file = join(folder, "nodepass.yaml");

const echo = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => socket.destroy());
  socket.pipe(socket);
});
echo.listen(0, host);
await once(echo, "listening");
const target = `${host}:${echo.address().port}`;

function write(round) {
  const odd = round % 2 === 1;
  const pair = Math.trunc(round / 10) % 2;
  const lines = [
    `steady: { client: "${host}:8101", target: "${target}", mode: 1, noudp: 1 }`,
    `light: { client: "${host}:8102", target: "${target}", mode: 1, noudp: 1, rate: ${odd ? 500 : 900} }`,
    `heavy: { client: "${host}:8103", target: "${target}", mode: 1, noudp: 1, dial: ${odd ? "auto" : host} }`,
    `steadyServer: { server: "${host}:8104", target: "${host}:8105", key: one, mode: 1, tls: 1, noudp: 1 }`,
    `steadyClient: { client: "${host}:8104", target: "${target}", key: one, mode: 2, min: 8 }`,
    // Replaced every tenth time: it is a new session each time.
    `server: { server: "${host}:8106", target: "${host}:8107", key: two, mode: 1, tls: ${pair}, noudp: 1 }`,
    `client: { client: "${host}:8106", target: "${target}", key: two, mode: 2, min: 8, rate: ${odd ? 0 : 900} }`,
    ...(odd ? [`flip: { client: "${host}:8108", target: "${target}", mode: 1 }`] : []),
  ];
  writeFileSync(`${file}.new`, `tunnels:\n${lines.map((line) => `  ${line}\n`).join("")}`);
  renameSync(`${file}.new`, file);
}

// In the process under test: what it holds, after a collection, when it is asked.
const told = `process.on("SIGUSR2", () => {
  globalThis.gc(); globalThis.gc();
  const held = {};
  for (const kind of process.getActiveResourcesInfo()) held[kind] = (held[kind] ?? 0) + 1;
  process.stderr.write("HELD " + JSON.stringify({ heap: process.memoryUsage().heapUsed, held }) + "\\n");
});`;
write(0);
const child = spawn(
  process.execPath,
  [
    "--expose-gc",
    "--import",
    `data:text/javascript,${encodeURIComponent(told)}`,
    fileURLToPath(new URL("../dist/main.js", import.meta.url)),
    "run",
    file,
  ],
  { env: { ...process.env, NP_SHUTDOWN_TIMEOUT: `${DRAIN_S}s`, NP_REPORT_INTERVAL: "500ms" } },
);
let output = "";
let inForce = 0;
const refused = [];
const reports = [];
child.stdout.setEncoding("utf8").on("data", (text) => {
  const lines = (output + text).split("\n");
  output = lines.pop() ?? "";
  for (const line of lines) {
    if (line.includes("configuration in force")) inForce++;
    else if (/ {2}ERROR {2}/.test(line)) refused.push(line);
  }
});
child.stderr.setEncoding("utf8").on("data", (text) => reports.push(text));

async function until(condition, what) {
  for (const end = performance.now() + RELOAD_LIMIT_MS; performance.now() < end; await sleep(2)) {
    if (condition()) return;
    if (child.exitCode !== null)
      throw new Error(`ended: ${reports.join("")} ${refused.join("\n")}`);
  }
  throw new Error(`not in ${RELOAD_LIMIT_MS} ms: ${what}`);
}

/** What the process holds now. */
async function measure() {
  reports.length = 0;
  child.kill("SIGUSR2");
  await until(() => /HELD .*\n/.test(reports.join("")), "measure");
  const { heap, held } = JSON.parse(/HELD (.*)\n/.exec(reports.join(""))[1]);
  return {
    heapMiB: heap / 2 ** 20,
    held,
    descriptors: readdirSync(`/proc/${child.pid}/fd`).length,
  };
}

const losses = new Map();
const lost = (what) => losses.set(what, (losses.get(what) ?? 0) + 1);
let ended = false;
let exchanges = 0;
let connections = 0;

/** Says something and waits for it to come back. */
function exchange(socket, text) {
  return new Promise((resolve) => {
    let back = "";
    const done = (end) => {
      socket.off("data", onData).off("close", onClose);
      resolve(end);
    };
    const onData = (chunk) => {
      back += chunk;
      if (back.length >= text.length) done(true);
    };
    const onClose = () => done(false);
    socket.on("data", onData).on("close", onClose);
    socket.write(text);
  });
}

async function hold(name, port) {
  const socket = connect(port, host);
  let reason = "end";
  socket.on("error", (error) => {
    reason = error.message;
  });
  while (!ended) {
    if (!(await exchange(socket, "held connection"))) return lost(`held on ${name}: ${reason}`);
    exchanges++;
    await sleep(10);
  }
  socket.destroy();
}

async function comeAndGo(name, port) {
  while (!ended) {
    const socket = connect(port, host);
    let reason = "end";
    socket.on("error", (error) => {
      reason = error.message;
    });
    if (!(await exchange(socket, "short connection"))) lost(`short on ${name}: ${reason}`);
    connections++;
    socket.destroy();
    await sleep(5);
  }
}

try {
  await until(() => inForce > 0, "start");
  /** Both kinds of pair serve. */
  for (const port of [8105, 8107]) {
    const socket = connect(port, host).on("error", () => undefined);
    await exchange(socket, "ready");
    socket.destroy();
  }
  await sleep(500);
  // What is loaded once, and the pools' size, is there before the first measure.
  const reload = async (round) => {
    const before = inForce;
    write(round);
    child.kill("SIGHUP");
    await until(() => inForce > before, `reload ${round}`);
  };
  for (let round = 1; round <= 20; round++) await reload(round);
  await sleep(DRAIN_S * 1000 + 1500);
  const before = await measure();

  const users = [];
  for (const [name, port] of [
    ["steady", 8101],
    ["light", 8102],
    ["steadyServer", 8105],
  ]) {
    for (let each = 0; each < HELD_EACH; each++) users.push(hold(name, port));
  }
  for (const [name, port] of [
    ["steady", 8101],
    ["light", 8102],
    ["heavy", 8103],
    ["steadyServer", 8105],
    ["server", 8107],
  ]) {
    for (let each = 0; each < SHORT_EACH; each++) users.push(comeAndGo(name, port));
  }
  const startedAt = performance.now();
  for (let round = 1; round <= reloads; round++) await reload(round);
  // As it was at the first measure: the file is the same.
  await reload(20);
  const seconds = (performance.now() - startedAt) / 1000;
  ended = true;
  await Promise.all(users);
  await sleep(DRAIN_S * 1000);
  // Pools that grew under load shrink step by step.
  const grownKinds = ({ held }) =>
    Object.entries(held).filter(
      ([kind, count]) => /^(TCP|UDP|Timeout)/i.test(kind) && count > (before.held[kind] ?? 0),
    );
  let after = await measure();
  for (let look = 0; look < MAX_LOOKS && grownKinds(after).length > 0; look++) {
    await sleep(1000);
    after = await measure();
  }

  const say = (text) => process.stdout.write(`${text}\n`);
  say(`${inForce} reloads (${reloads} asked for) in ${seconds.toFixed(1)} s`);
  say(`${connections} short connections, ${exchanges} exchanges on ${3 * HELD_EACH} held ones`);
  say(`lost: ${losses.size === 0 ? "none" : JSON.stringify(Object.fromEntries(losses))}`);
  say(`before: ${JSON.stringify(before)}`);
  say(`after:  ${JSON.stringify(after)}`);
  for (const line of refused.slice(0, 5)) say(line);
  const grown = grownKinds(after);
  if (grown.length > 0) say(`grown: ${JSON.stringify(grown)}`);
  const heap = after.heapMiB - before.heapMiB;
  if (heap > MAX_HEAP_MIB) say(`grown: heap by ${heap.toFixed(1)} MiB`);
  const fine =
    losses.size === 0 && grown.length === 0 && heap <= MAX_HEAP_MIB && refused.length === 0;
  process.exitCode = fine ? 0 : 1;
} finally {
  ended = true;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  if (child.exitCode === null) await once(child, "exit");
  clearTimeout(timer);
  echo.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
