#!/usr/bin/env node
/**
 * Measures how near a tunnel's rates are to what is asked for, with many connections that all want
 * more: node packages/tunnel-core/scripts/rates.mjs
 *   [--up N]           Mbit/s from users to targets (default 80)
 *   [--down N]         Mbit/s from targets to users (default 160)
 *   [--each N]         Mbit/s of each connection, both ways (default none)
 *   [--connections N]  (default 64)
 *   [--seconds N]      measured, after four that are not (default 20)
 *   [--lanes N]        pool connections that users share (default 4)
 *
 * Server and client run in processes of their own; this one is target and users. Half of the
 * connections send, half receive. Exits with 1 if a way is more than 3 % beside its rate. On a machine
 * with other work the first seconds may be over: what a busy bucket could not give, it gives later.
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import "./find-test-support.mjs";

const { EndProcess } = await import("../test/trust/support/end-process.ts");

const MOST_BESIDE = 0.03;
const WARM_UP_MS = 4000;
const { values } = parseArgs({
  options: {
    up: { type: "string", default: "80" },
    down: { type: "string", default: "160" },
    each: { type: "string", default: "0" },
    connections: { type: "string", default: "64" },
    seconds: { type: "string", default: "20" },
    lanes: { type: "string", default: "4" },
  },
});
const count = Number(values.connections);
const each = Number(values.each);

const chunk = Buffer.alloc(64 * 1024);
/** Writes as much as is taken, until the socket closes. */
function pour(socket) {
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on("drain", more);
  more();
}

const received = { up: 0, down: 0 };
const ends = new Set();
const target = createServer((socket) => {
  ends.add(socket.on("error", () => {}));
  socket.once("data", (first) => {
    if (first[0] === 0x64) return pour(socket);
    received.up += first.length;
    socket.on("data", (bytes) => {
      received.up += bytes.length;
    });
  });
});
await once(target.listen(0, "127.0.0.1"), "listening");

const server = await EndProcess.open(
  `server://rates@127.0.0.1:0/127.0.0.1:0?mode=1&tls=0&lanes=${values.lanes}&max=64` +
    `&rate=${values.up}/${values.down}&rateconn=${each}`,
);
const client = await EndProcess.open(
  `client://rates@127.0.0.1:${server.tunnelPort}/127.0.0.1:${target.address().port}?mode=2`,
);
for (let index = 0; index < count; index++) {
  const socket = connect(server.entryPort, "127.0.0.1");
  ends.add(socket.on("error", () => {}));
  if (index % 2 === 0) {
    pour(socket);
    continue;
  }
  socket.write("d");
  socket.on("data", (bytes) => {
    received.down += bytes.length;
  });
}

await sleep(WARM_UP_MS);
const before = { ...received, at: performance.now() };
await sleep(Number(values.seconds) * 1000);
const seconds = (performance.now() - before.at) / 1000;
let beside = 0;
for (const [way, share] of [
  ["up", Math.ceil(count / 2)],
  ["down", Math.floor(count / 2)],
]) {
  const limits = [Number(values[way]), each * share].filter((limit) => limit > 0);
  const asked = Math.min(...limits);
  const got = ((received[way] - before[way]) * 8) / 1e6 / seconds;
  const off = got / asked - 1;
  beside = Math.max(beside, Math.abs(off));
  process.stdout.write(
    `${way}: asked ${asked} Mbit/s, got ${got.toFixed(2)} (${(off * 100).toFixed(2)} %)\n`,
  );
}
for (const socket of ends) socket.destroy();
target.close();
await Promise.all([client.close(5000), server.close(5000)]);
process.exitCode = beside > MOST_BESIDE ? 1 : 0;
