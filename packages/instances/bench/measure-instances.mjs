// Prints what many instances cost: `node bench/measure-instances.mjs [workers] [running] [stopped]`,
// after a build. Half of the running ones are forwarders, half are servers that wait for a client.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createInstanceManager, createMasterState } from "@nodepass/instances";
import { openStore } from "@nodepass/store";

const workers = Number(process.argv[2] ?? availableParallelism());
const running = Number(process.argv[3] ?? 200);
const stopped = Number(process.argv[4] ?? 1000);
const idleMs = 10_000;
const singles = 5;

const print = (name, value) => process.stdout.write(`${name.padEnd(52)} ${value}\n`);
const mib = (bytes) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
const ms = (value) => `${value.toFixed(value < 10 ? 2 : 0)} ms`;

// Takes the pings of forwarders.
const target = createServer((socket) => socket.on("error", () => {}).resume());
target.listen(0, "127.0.0.1");
await once(target, "listening");

const urlOf = (index) =>
  index % 2 === 0
    ? `client://127.0.0.1:0/127.0.0.1:${target.address().port}?mode=1`
    : "server://secret@127.0.0.1:0/127.0.0.1:0?mode=1";

function recordOf(index) {
  const url = urlOf(index);
  return {
    id: index.toString(16).padStart(8, "0"),
    alias: `instance ${index}`,
    type: url.startsWith("client") ? "client" : "server",
    url,
    restart: index < running,
    running: false,
    meta: { peer: { sid: "", type: "", alias: "" }, tags: {} },
    tcprx: 0,
    tcptx: 0,
    udprx: 0,
    udptx: 0,
  };
}

const directory = await mkdtemp(join(tmpdir(), "nodepass-"));
const rssBare = process.memoryUsage().rss;
let at = performance.now();
const { store, state } = await openStore({
  directory,
  counterIntervalMs: 500,
  createInitial: () => ({
    ...createMasterState(),
    instances: Array.from({ length: running + stopped }, (_, index) => recordOf(index)),
  }),
});
print("state written and opened", ms(performance.now() - at));

at = performance.now();
const manager = createInstanceManager({
  store,
  state,
  workers,
  formatLog: ({ message }) => message,
});
print(`${running + stopped} instances read`, ms(performance.now() - at));
print("RSS with all stopped", `${mib(process.memoryUsage().rss)} (bare: ${mib(rssBare)})`);

at = performance.now();
await manager.start();
while (manager.metrics().running < running) await sleep(10);
print(`${running} running, ${workers} workers`, ms(performance.now() - at));
await sleep(2000);
print("RSS", mib(process.memoryUsage().rss));
print("worker threads", manager.metrics().workers);

async function idle(name) {
  const before = process.cpuUsage();
  const lag = { worst: 0 };
  let last = performance.now();
  const timer = setInterval(() => {
    lag.worst = Math.max(lag.worst, performance.now() - last - 50);
    last = performance.now();
  }, 50);
  await sleep(idleMs);
  clearInterval(timer);
  const { user, system } = process.cpuUsage(before);
  const share = (user + system) / 1000 / idleMs;
  print(name, `${(share * 100).toFixed(2)} % of a core, worst delay ${ms(lag.worst)}`);
}
await idle(`CPU, idle ${idleMs / 1000} s, no subscriber`);
let events = 0;
manager.subscribe(() => {
  events++;
});
await idle(`CPU, idle ${idleMs / 1000} s, one subscriber`);
print("events in that time", events);

async function time(name, times, run) {
  const startedAt = performance.now();
  for (let count = 0; count < times; count++) await run();
  print(name, `${(((performance.now() - startedAt) / times) * 1000).toFixed(0)} µs`);
}
await time(`list() of ${running + stopped}`, 200, () => manager.list());
await time("list() and JSON", 20, async () => JSON.stringify(await manager.list()));

async function timeAsync(name, times, run) {
  const took = [];
  for (let count = 0; count < times; count++) {
    const startedAt = performance.now();
    await run();
    took.push(performance.now() - startedAt);
  }
  took.sort((a, b) => a - b);
  print(name, `median ${ms(took[times >> 1])}, worst ${ms(took[times - 1])}`);
}
const [{ id }] = await manager.list();
await timeAsync("update(alias), on disk", 50, () => manager.update(id, { alias: "a" }));
const made = [];
await timeAsync("create(forwarder), on disk and running", 50, async () => {
  made.push((await manager.create({ url: urlOf(0) })).id);
});
await timeAsync("create(server), on disk and running", 10, async () => {
  made.push((await manager.create({ url: urlOf(1) })).id);
});
await timeAsync("remove, stopped and gone from disk", made.length, () =>
  manager.remove(made.pop()),
);
at = performance.now();
await manager.close();
print(`close of ${running} running`, ms(performance.now() - at));
await store.close();
await rm(directory, { recursive: true });

// One process per instance, as NodePass 1.14 has it: a few, to tell what each costs.
const code = `import { openTunnel } from "@nodepass/tunnel-core";
await openTunnel(${JSON.stringify(urlOf(0))});
process.stdout.write("up");`;
at = performance.now();
const children = await Promise.all(
  Array.from({ length: singles }, async () => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
      cwd: new URL("..", import.meta.url),
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    return child;
  }),
);
print(`${singles} processes with one instance each, up`, ms(performance.now() - at));
if (process.platform === "linux") {
  const field = (pid, file, name) =>
    Number(
      new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(
        readFileSync(`/proc/${pid}/${file}`, "utf8"),
      )?.[1],
    ) * 1024;
  const sum = (file, name) => children.reduce((all, { pid }) => all + field(pid, file, name), 0);
  const rss = sum("status", "VmRSS") / singles;
  const pss = sum("smaps_rollup", "Pss") / singles;
  print("RSS and proportional share of each", `${mib(rss)}, ${mib(pss)}`);
  print(`${running} of them`, `${mib(rss * running)}, ${mib(pss * running)}`);
}
for (const child of children) child.kill();
target.close();
