#!/usr/bin/env node
/**
 * Loads a tunnel with all kinds of traffic and watches what grows:
 * node packages/tunnel-core/scripts/soak.mjs
 *   [--minutes N]   how long (default 10)
 *   [--every N]     seconds between two lines of the table (default 30)
 *   [--tls 0|1]     (default 1)
 *   [--lanes N]     pool connections that users share (default 4)
 *   [--flow reverse|forward]  (default reverse)
 *   [--rate N]      short connections a second (default 50)
 *   [--no-restarts] leaves the client alone
 *
 * Server and client run in processes of their own; this one is target and users. Each line is
 * taken after a collection, with the load held. Errors are connections that ended otherwise than
 * meant; cut are those among them that were open while the client was restarted.
 * The verdict compares the last third of the lines with the first after the warm-up.
 */
import { parseArgs } from "node:util";
import "./find-test-support.mjs";

const { startScriptedTarget } = await import("../test/support/scripted-target.ts");
const { EndProcess } = await import("../test/trust/support/end-process.ts");
const { SoakLoad } = await import("../test/trust/support/soak-load.ts");

const LIMITS = { serviceCooldownMs: 200, udpReadTimeoutMs: 5_000 };
const { values } = parseArgs({
  allowNegative: true,
  options: {
    minutes: { type: "string", default: "10" },
    every: { type: "string", default: "30" },
    tls: { type: "string", default: "1" },
    lanes: { type: "string", default: "4" },
    flow: { type: "string", default: "reverse" },
    rate: { type: "string", default: "50" },
    restarts: { type: "boolean", default: true },
  },
});
/** Growth that counts: of the heap, MiB, and of handles or descriptors. */
const MAX_HEAP_MIB = 2;
const MAX_HANDLES = 20;

const write = (cells) =>
  process.stdout.write(`${cells.map((cell) => String(cell).padStart(9)).join("")}\n`);
const mib = (bytes) => (bytes / 2 ** 20).toFixed(1);
const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const reverse = values.flow === "reverse";
const target = await startScriptedTarget();
const at = (fixed) => (fixed ? target.at : "127.0.0.1:0");
const server = await EndProcess.open(
  `server://soak@127.0.0.1:0/${at(!reverse)}?mode=${reverse ? 1 : 2}&tls=${values.tls}&lanes=${values.lanes}&max=64`,
  LIMITS,
);
const clientUrl = `client://soak@127.0.0.1:${server.tunnelPort}/${at(reverse)}?mode=2&min=8`;
const client = await EndProcess.open(clientUrl, LIMITS);
const entryPort = async () => {
  const end = reverse ? server : client;
  // A forward client has its entry once it is connected.
  while (end.entryPort === 0) {
    await sleep(200);
    end.entryPort = (await end.stats()).entryPort ?? 0;
  }
  return end.entryPort;
};
const load = new SoakLoad({
  target,
  entry: { host: "127.0.0.1", port: await entryPort() },
  rate: Number(values.rate),
});

const lines = [];
const heads = [
  "minute",
  "done",
  "errors",
  "cut",
  "srv heap",
  "srv ext",
  "srv rss",
  "srv hndl",
  "cli heap",
  "cli ext",
  "cli rss",
  "cli hndl",
  "reconn",
];
write(heads);
const startedAt = performance.now();
let reconnects = 0;
let failed = "";
while (performance.now() - startedAt < Number(values.minutes) * 60_000) {
  await load.run(Number(values.every) * 1000);
  // The client goes and comes back; users wait at the entry meanwhile (reverse flow).
  if (reverse && values.restarts) {
    load.start();
    await sleep(200);
    load.restartedAt = Number.POSITIVE_INFINITY;
    await client.close(10_000);
    load.restartedAt = performance.now();
    await client.open(clientUrl, LIMITS);
    reconnects++;
    await sleep(1000);
  }
  await load.rest();
  // Idle UDP sessions end meanwhile.
  await sleep(LIMITS.udpReadTimeoutMs * 1.5);
  const [s, c] = await Promise.all([server.stats(), client.stats()]);
  const minute = ((performance.now() - startedAt) / 60_000).toFixed(1);
  lines.push({ s, c, errors: load.errors.length });
  write([
    minute,
    load.done,
    load.errors.length,
    load.cut,
    mib(s.heapUsed),
    mib(s.external),
    mib(s.rss),
    sum(s.handles),
    mib(c.heapUsed),
    mib(c.external),
    mib(c.rss),
    sum(c.handles),
    reconnects,
  ]);
}

const counted = lines.slice(Math.min(2, Math.floor(lines.length / 3)));
const third = Math.max(1, Math.floor(counted.length / 3));
const mean = (some, of) => some.reduce((total, line) => total + of(line), 0) / some.length;
const check = (name, of, most, scale = 1) => {
  const growth = (mean(counted.slice(-third), of) - mean(counted.slice(0, third), of)) / scale;
  process.stdout.write(
    `${name}: ${growth >= 0 ? "+" : ""}${growth.toFixed(2)} (at most ${most})\n`,
  );
  if (growth > most) failed += ` ${name}`;
};
for (const [name, end] of [
  ["server", "s"],
  ["client", "c"],
]) {
  check(`${name} heap MiB`, (line) => line[end].heapUsed, MAX_HEAP_MIB, 2 ** 20);
  check(`${name} external MiB`, (line) => line[end].external, MAX_HEAP_MIB, 2 ** 20);
  check(`${name} handles`, (line) => sum(line[end].handles), MAX_HANDLES);
  const left = lines.at(-1)?.[end].counters;
  if (left !== undefined && left.tcps + left.udps > 0) failed += ` ${name} connections left`;
}
process.stdout.write(
  `handles at the end: server ${JSON.stringify(lines.at(-1)?.s.handles)}, client ${JSON.stringify(lines.at(-1)?.c.handles)}\n`,
);
process.stdout.write(`done: ${JSON.stringify(load.kinds)}\n`);
for (const error of load.errors.slice(0, 20)) process.stdout.write(`error: ${error}\n`);
if (load.errors.length > 0) failed += " errors";
const bad = [...server.logs, ...client.logs].filter(({ level }) => level === "error");
for (const { message, fields } of bad.slice(0, 10))
  process.stdout.write(`log: ${message} ${JSON.stringify(fields)}\n`);
process.stdout.write(
  failed === "" ? "verdict: no growth, no error\n" : `verdict: FAILED:${failed}\n`,
);
await Promise.all([server.kill(), client.kill()]);
await target.close();
process.exitCode = failed === "" ? 0 : 1;
