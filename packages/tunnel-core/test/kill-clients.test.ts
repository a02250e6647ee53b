import { setTimeout as sleep } from "node:timers/promises";
import type { LogRecord, Tunnel } from "@nodepass/tunnel-core";
import { afterEach, expect, test } from "vitest";
import {
  type NamedTarget,
  type NamedUser,
  namedUser,
  namedUsers,
  startNamedTarget,
  stillEchoes,
} from "./support/named-targets.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { entryOf, eventually, openEnd } from "./support/tunnel-pair.ts";
import { dial, endOf, endUsers } from "./support/users.ts";
import { EndProcess } from "./trust/support/end-process.ts";

/** Of this file alone. */
const HOST = "127.61.3.4";
const KEY = "correct-horse-battery";
/** `KILLS=100` is the whole trial. */
const KILLS = Number(process.env.KILLS ?? 4);
const REPORT_MS = 1000;
/** Users who stay, of each client, and loops of users who come and go. */
const LASTING = 6;
const LOOPS = 8;

let targets: NamedTarget[] = [];
let server: Tunnel | undefined;
let clients: EndProcess[] = [];

afterEach(async () => {
  endUsers();
  for (const client of clients) await client.kill();
  await server?.close({ timeoutMs: 0 });
  for (const target of targets) target.close();
  await expectNoSockets();
});

/** One user who comes and goes. @returns who carried him, and whether all he sent came back */
async function visit(entry: {
  host: string;
  port: number;
}): Promise<{ by: string; whole: boolean }> {
  const socket = await dial(entry).catch(() => undefined);
  // Reset before he knew that he was connected.
  if (socket === undefined) return { by: "", whole: false };
  let came = "";
  socket.on("data", (bytes: Buffer) => {
    came += bytes.toString("latin1");
  });
  const ended = endOf(socket);
  socket.end("x".repeat(1000));
  const end = await ended;
  return { by: came.slice(0, 1), whole: end === "closed" && came.length === 1001 };
}

test.each([0, 1] as const)(
  `two clients under load, one of them killed ${KILLS} times, tls=%i: it takes only its own with it`,
  { timeout: 60_000 + KILLS * 20_000 },
  async (tls) => {
    targets = await Promise.all(["A", "B"].map((name) => startNamedTarget(name, HOST)));
    const logs: LogRecord[] = [];
    server = await openEnd(
      `server://${KEY}@${HOST}:0/${HOST}:0?mode=1&clients=2&tls=${tls}`,
      logs,
      { limits: { reportIntervalMs: REPORT_MS } },
    );
    const to = server;
    const entry = { ...entryOf(to), host: HOST };
    clients = [];
    const start = async (which: number) => {
      const at = `client://${KEY}@${HOST}:${to.tunnelAddress?.port}/${targets[which]?.at}?mode=2&min=16`;
      clients[which] = await EndProcess.open(at, { reportIntervalMs: REPORT_MS });
      await eventually(() => {
        const ready = to.peers().filter(({ connected, pool }) => connected && pool > 0);
        expect(ready).toHaveLength(clients.length);
      });
    };
    await start(0);
    await start(1);

    const lost = { others: 0, own: 0, unknown: 0, afterwards: 0 };
    const times: number[] = [];
    let visits = 0;
    let doomed = "";
    let endedSessions = 0;
    let over = false;
    const noticed = () => logs.filter(({ message }) => message === "session ended").length;
    const loop = async (): Promise<void> => {
      while (!over) {
        const before = { doomed, noticed: noticed() };
        const { by, whole } = await visit(entry);
        visits++;
        if (whole) continue;
        if (by === "") {
          // Its client had not come to answer: the server had not heard yet that it is dead.
          if (before.noticed > endedSessions) lost.afterwards++;
          else lost.unknown++;
        } else if (by === before.doomed || by === doomed) lost.own++;
        else lost.others++;
      }
    };
    const loops = Array.from({ length: LOOPS }, loop);

    for (let round = 0; round < KILLS; round++) {
      const which = round % 2;
      const name = which === 0 ? "A" : "B";
      const lasting: NamedUser[] = await namedUsers(entry, 2 * LASTING);
      const own = lasting.filter(({ by }) => by === name);
      const others = lasting.filter(({ by }) => by !== name);
      expect(Math.min(own.length, others.length)).toBeGreaterThan(0);
      endedSessions = noticed();
      doomed = name;
      const cut = own.map(({ socket }) => endOf(socket));
      const killedAt = performance.now();
      await clients[which]?.kill();
      // The next user, who comes when the client is dead.
      const next = await namedUser(entry).catch(() => undefined);
      if (next === undefined) lost.unknown++;
      else {
        expect(next.by).not.toBe(name);
        times.push(performance.now() - killedAt);
      }
      await Promise.all(cut);
      for (const user of others) expect(await stillEchoes(user)).toBe(true);
      await eventually(() => expect(noticed()).toBe(endedSessions + 1));
      for (const { socket } of [...lasting, ...(next === undefined ? [] : [next])])
        socket.destroy();
      await start(which);
      await sleep(50);
      // What was its own has been counted by now.
      doomed = "";
    }
    over = true;
    await Promise.all(loops);
    const worst = Math.max(...times);
    console.info(
      `kill clients: tls=${tls}, ${KILLS} kills, ${visits} visits, lost ${JSON.stringify(lost)}, ` +
        `next user served after at most ${Math.round(worst)} ms`,
    );
    expect(lost.others).toBe(0);
    expect(lost.afterwards).toBe(0);
    expect(times).toHaveLength(KILLS);
    expect(worst).toBeLessThan(REPORT_MS);
    expect(to.counters().refusedPeer).toBe(0);
    await Promise.all(clients.map((client) => client.kill()));
  },
);
