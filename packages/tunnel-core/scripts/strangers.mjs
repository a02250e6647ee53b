#!/usr/bin/env node
/**
 * A crowd of strangers at a tunnel port while users are served:
 * node packages/tunnel-core/scripts/strangers.mjs
 *   [--count N]  strangers in all, of every kind (default 10000)
 *   [--rate N]   of them a second (default 1000)
 *   [--tls 0|1]  (default 0)
 *
 * Server, client and crowd run in processes of their own. Prints the users' times without and with
 * the crowd, failed users, and the server's memory; exits with 1 if a user failed, if memory grew
 * by more than 100 MiB, or if sockets are left.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startScriptedTarget } from "../test/support/scripted-target.ts";
import { EndProcess } from "../test/trust/support/end-process.ts";
import { SteadyUsers } from "../test/trust/support/steady-users.ts";
import { STRANGERS, Strangers } from "../test/trust/support/strangers.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "10000" },
    rate: { type: "string", default: "1000" },
    tls: { type: "string", default: "0" },
    crowd: { type: "string" },
  },
});
const write = (text) => process.stdout.write(`${text}\n`);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

if (values.crowd !== undefined) {
  const crowd = new Strangers({
    port: Number(values.crowd),
    kinds: STRANGERS,
    count: Number(values.count),
    rate: Number(values.rate),
    addresses: Array.from({ length: 8 }, (_, at) => `127.0.0.${at + 2}`),
  });
  await crowd.come();
  while (crowd.open > 0) await sleep(100);
  write(`crowd: ${crowd.begun} came, at most ${crowd.most} at once, all sent away`);
} else {
  await besiege();
}

async function besiege() {
  const target = await startScriptedTarget();
  const server = await EndProcess.open(
    `server://siege@127.0.0.1:0/127.0.0.1:0?mode=1&tls=${values.tls}`,
  );
  const client = await EndProcess.open(
    `client://siege@127.0.0.1:${server.tunnelPort}/${target.at}?mode=2`,
  );
  const users = new SteadyUsers({
    entry: { host: "127.0.0.1", port: server.entryPort },
    rate: 100,
  });
  await users.run(10_000);
  const times = (since) =>
    [0.5, 0.99].map((share) => `${users.quantile(share, since).toFixed(2)} ms`).join(" / ");
  const quietP99 = users.quantile(0.99, 0);
  write(`quiet: p50 / p99 ${times(0)}`);
  const before = await server.stats();
  const startedAt = performance.now();
  const words = [
    "--crowd",
    String(server.tunnelPort),
    "--count",
    values.count,
    "--rate",
    values.rate,
  ];
  const crowd = fork(fileURLToPath(import.meta.url), words, { stdio: "inherit" });
  const gone = once(crowd, "exit");
  let mostRss = 0;
  let mostSockets = 0;
  const watch = setInterval(async () => {
    const { rss, handles } = await server.stats();
    mostRss = Math.max(mostRss, rss);
    mostSockets = Math.max(mostSockets, handles.TCPSocketWrap ?? 0);
  }, 500);
  await gone;
  clearInterval(watch);
  await users.stop();
  const ratio = users.quantile(0.99, startedAt) / quietP99;
  write(`besieged: p50 / p99 ${times(startedAt)} (p99 ${ratio.toFixed(2)} times the quiet one)`);
  write(`users: ${users.records.length} in all, ${users.failed.length} failed`);
  const after = await server.stats();
  const growth = (mostRss - before.rss) / 2 ** 20;
  write(`server: rss ${growth.toFixed(1)} MiB up at most, ${mostSockets} sockets at most`);
  const left = (after.handles.TCPSocketWrap ?? 0) - after.counters.pool;
  write(`left in the end: ${left} sockets beside the pool (1 is the control connection)`);
  write(`log: ${server.logs.filter(({ level }) => level !== "info").length} lines`);
  await Promise.all([server.kill(), client.kill()]);
  await target.close();
  process.exitCode = users.failed.length > 0 || growth > 100 || left > 1 ? 1 : 0;
}
