// Carries one user connection through a tunnel of two ends in this process, and prints which source
// files had a function called on the way, from its accept to the target's first byte.
import { once } from "node:events";
import { Session } from "node:inspector/promises";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { openTunnel } from "@nodepass/tunnel-core";

const target = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", () => socket.end("first byte"));
});
target.listen(0, "127.0.0.1");
await once(target, "listening");
const server = await openTunnel("server://secret@127.0.0.1:0/127.0.0.1:0?mode=1");
const client = await openTunnel(
  `client://secret@127.0.0.1:${server.tunnelAddress.port}/127.0.0.1:${target.address().port}?mode=2&min=2`,
);
await client.ready();
// The first ones become lanes: until no more are dialled.
for (let still = 0; still < 40; still++) {
  if (server.counters().pool < 2 || client.counters().pool < 2) still = 0;
  await sleep(5);
}

const inspector = new Session();
inspector.connect();
await inspector.post("Profiler.enable");
await inspector.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
const user = connect({ host: "127.0.0.1", port: server.entryAddress.port });
user.end("a question");
await once(user, "data");
const { result } = await inspector.post("Profiler.takePreciseCoverage");
await inspector.post("Profiler.stopPreciseCoverage");

const called = result
  .filter(({ functions }) =>
    functions.some(({ functionName, ranges }) => functionName !== "" && ranges[0].count > 0),
  )
  .map(({ url }) => /tunnel-core\/dist\/(.+)\.js$/.exec(url)?.[1])
  .filter((file) => file !== undefined);
process.stdout.write(JSON.stringify(called.map((file) => `${file}.ts`).toSorted()));
await Promise.all([client.close({ timeoutMs: 0 }), server.close({ timeoutMs: 0 })]);
target.close();
