#!/usr/bin/env node
/**
 * Freezes a client (SIGSTOP), wakes it (SIGCONT), and counts every user meanwhile, with the limits
 * that a node has by default: node packages/tunnel-core/scripts/freeze.mjs
 *   [--seconds N]  how long (default 20)
 *   [--rate N]     users a second (default 20)
 */
import { parseArgs } from "node:util";
import "./find-test-support.mjs";

const { startScriptedTarget } = await import("../test/support/scripted-target.ts");
const { EndProcess } = await import("../test/trust/support/end-process.ts");
const { SteadyUsers } = await import("../test/trust/support/steady-users.ts");

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "20" },
    rate: { type: "string", default: "20" },
  },
});
const write = (text) => process.stdout.write(`${text}\n`);

const target = await startScriptedTarget();
const server = await EndProcess.open("server://freeze@127.0.0.1:0/127.0.0.1:0?mode=1");
const client = await EndProcess.open(
  `client://freeze@127.0.0.1:${server.tunnelPort}/${target.at}?mode=2`,
);
const users = new SteadyUsers({
  entry: { host: "127.0.0.1", port: server.entryPort },
  rate: Number(values.rate),
  patienceMs: 60_000,
});
await users.run(2000);
const frozenAt = performance.now();
client.signal("SIGSTOP");
await users.run(Number(values.seconds) * 1000);
const wokenAt = performance.now();
client.signal("SIGCONT");
await users.run(3000);
await users.stop();
const of = (from, to) => users.records.filter(({ begunAt }) => begunAt >= from && begunAt < to);
for (const [name, some] of [
  ["before", of(0, frozenAt)],
  ["while frozen", of(frozenAt, wokenAt)],
  ["after", of(wokenAt, Number.POSITIVE_INFINITY)],
]) {
  const failed = some.filter(({ failure }) => failure !== undefined);
  const why = [...new Set(failed.map(({ failure }) => failure))].join(", ");
  write(`${name}: ${some.length} users, ${failed.length} failed${why === "" ? "" : ` (${why})`}`);
}
write(`first served ${users.firstServedAfter(wokenAt)?.toFixed(0)} ms after the client woke`);
for (const { message, fields } of server.logs.filter(({ level }) => level === "warn")) {
  write(`server: ${message} ${JSON.stringify(fields)}`);
}
await Promise.all([server.kill(), client.kill()]);
await target.close();
const late = of(wokenAt, Number.POSITIVE_INFINITY).filter(({ failure }) => failure !== undefined);
process.exitCode = late.length > 0 ? 1 : 0;
