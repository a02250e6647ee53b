#!/usr/bin/env node
/**
 * A crowd of strangers at a tunnel port while users are served:
 * node packages/tunnel-core/scripts/strangers.mjs
 *   [--count N]  strangers in all, of every kind (default 10000)
 *   [--rate N]   of them a second (default 500)
 *   [--tls 0|1]  (default 0)
 *
 * Server, client and crowd run in processes of their own; the crowd, which would be on other
 * machines, at the lowest priority. The users' times are taken three times: quiet, with the crowd
 * at the port of another server on this machine, which shows what its processor time costs them,
 * and with the crowd at the tunnel port. Prints them, failed users, and the server's memory; exits
 * with 1 if a user failed, if memory grew by more than 100 MiB, or if sockets are left.
 */
import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { setPriority } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import "./find-test-support.mjs";

const { startScriptedTarget } = await import("../test/support/scripted-target.ts");
const { EndProcess } = await import("../test/trust/support/end-process.ts");
const { SteadyUsers } = await import("../test/trust/support/steady-users.ts");
const { STRANGERS, Strangers } = await import("../test/trust/support/strangers.ts");

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "10000" },
    rate: { type: "string", default: "500" },
    tls: { type: "string", default: "0" },
    crowd: { type: "string" },
  },
});
const write = (text) => process.stdout.write(`${text}\n`);

if (values.crowd !== undefined) await beCrowd(Number(values.crowd));
else await besiege();

async function beCrowd(port) {
  // Strangers are on machines of their own: here they get the processor time that nobody wants.
  const idle = spawnSync("chrt", ["--all-tasks", "--idle", "--pid", "0", String(process.pid)]);
  if (idle.status !== 0) setPriority(19);
  const crowd = new Strangers({
    port,
    kinds: STRANGERS,
    count: Number(values.count),
    rate: Number(values.rate),
    addresses: Array.from({ length: 8 }, (_, at) => `127.0.0.${at + 2}`),
  });
  const startedAt = performance.now();
  await crowd.come();
  const took = (performance.now() - startedAt) / 1000;
  while (crowd.open > 0) await sleep(100);
  write(
    `crowd: ${crowd.begun} came in ${took.toFixed(1)} s, at most ${crowd.most} at once, all sent away`,
  );
}

/** Sends the crowd to a port; resolves when all of it is gone. */
async function sendCrowd(port) {
  const words = ["--crowd", String(port), "--count", values.count, "--rate", values.rate];
  const crowd = fork(fileURLToPath(import.meta.url), words, { stdio: "inherit" });
  await once(crowd, "exit");
}

async function besiege() {
  const target = await startScriptedTarget();
  const url = (key) => `server://${key}@127.0.0.1:0/127.0.0.1:0?mode=1&tls=${values.tls}`;
  const server = await EndProcess.open(url("siege"));
  const bystander = await EndProcess.open(url("bystander"));
  const client = await EndProcess.open(
    `client://siege@127.0.0.1:${server.tunnelPort}/${target.at}?mode=2`,
  );
  const users = new SteadyUsers({
    entry: { host: "127.0.0.1", port: server.entryPort },
    rate: 100,
  });
  // What the compiler still works on is no part of the comparison.
  await users.run(5_000);

  const quietAt = performance.now();
  await users.run(15_000);
  const quiet = report("quiet", users, quietAt);

  const elsewhereAt = performance.now();
  await sendCrowd(bystander.tunnelPort);
  const elsewhere = report("crowd elsewhere", users, elsewhereAt);
  await bystander.kill();

  // From outside: an end that counts its own sockets and memory stands still for that long.
  const before = await memoryOf(server.pid);
  const startedAt = performance.now();
  let mostRss = 0;
  let mostDescriptors = 0;
  const look = async () => {
    mostRss = Math.max(mostRss, await memoryOf(server.pid));
    mostDescriptors = Math.max(mostDescriptors, (await readdir(`/proc/${server.pid}/fd`)).length);
  };
  const watch = setInterval(() => void look(), 500);
  await sendCrowd(server.tunnelPort);
  clearInterval(watch);
  const besieged = report("besieged", users, startedAt);
  await users.stop();
  const ratios = [quiet, elsewhere].map((p99) => (besieged / p99).toFixed(2));
  write(`p99: ${ratios[0]} times the quiet one, ${ratios[1]} times the one with a crowd elsewhere`);
  write(`users: ${users.records.length} in all, ${users.failed.length} failed`);
  const after = await server.stats();
  const growth = (mostRss - before) / 2 ** 20;
  write(`server: rss ${growth.toFixed(1)} MiB up at most, ${mostDescriptors} descriptors at most`);
  const left = (after.handles.TCPSocketWrap ?? 0) - after.counters.pool;
  write(`left in the end: ${left} sockets beside the pool (1 is the control connection)`);
  write(`log: ${server.logs.filter(({ level }) => level !== "info").length} lines`);
  await Promise.all([server.kill(), client.kill()]);
  await target.close();
  process.exitCode = users.failed.length > 0 || growth > 100 || left > 1 ? 1 : 0;
}

/** Resident memory of a process, bytes (proc(5), `statm`; Linux only). */
async function memoryOf(pid) {
  const pages = (await readFile(`/proc/${pid}/statm`, "latin1")).split(" ")[1];
  return Number(pages) * 4096;
}

/** Writes the users' times. @returns the p99, ms */
function report(name, users, since) {
  const [p50, p99] = [0.5, 0.99].map((share) => users.quantile(share, since));
  write(`${name}: p50 / p99 ${p50.toFixed(2)} / ${p99.toFixed(2)} ms`);
  return p99;
}
