import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "./failover.ts";
import { Place } from "./support/place.ts";
import { type RealMaster, startRealMaster } from "./support/real-master.ts";
import { type Found, Marks } from "./support/results.ts";

export interface EngineDownOptions {
  readonly tunnels: number;
  readonly masters: number;
  /** How long the engine is away, ms. */
  readonly downMs: number;
  /** New connections of users a second. */
  readonly rate: number;
}

/** Masters are at `NET.1`, `NET.2`, …, users' target at `NET.200`. */
const NET = "127.72.6";
const FIRST_PORT = 5000;
/** Held connections say a word so often, ms. */
const WORD_MS = 2000;
/** Longest wait for an echo, ms: others may be at work on this machine. */
const ECHO_LIMIT_MS = 20_000;

/** Users of real tunnels that a fleet made, while its engine is gone and when it is back. */
export async function engineDownTrial(options: EngineDownOptions): Promise<Found> {
  const { tunnels, masters, downMs, rate } = options;
  const marks = new Marks("engine down");
  const place = await Place.start({ hubPort: true });
  const real: RealMaster[] = [];
  const held: Socket[] = [];
  const target = createServer((socket) => {
    socket.on("error", () => socket.destroy()).pipe(socket);
  }).listen(0, `${NET}.200`);
  await once(target, "listening");
  const at = target.address();
  const targetPort = typeof at === "object" && at !== null ? at.port : 0;
  let isOver = false;
  let failed = 0;
  let connections = 0;
  let echoes = 0;
  const fail = (_why: string) => {
    failed += 1;
  };
  try {
    await place.hub();
    for (let n = 1; n <= masters; n += 1) {
      const { token } = await place.ask<{ token: string }>("POST", "/fleet/tokens", {
        kind: "join",
      });
      real.push(await startRealMaster(`${NET}.${n}`, token));
    }
    type Listed = { mid: string; status: string; version: string }[];
    let mids: string[] = [];
    const areThere = async () => {
      const all = await place.ask<Listed>("GET", "/fleet/masters");
      mids = all.map(({ mid }) => mid);
      return (
        all.filter(({ status, version }) => status === "online" && version !== "").length ===
        masters
      );
    };
    await until(120_000, "all masters are members", areThere);
    const places: { host: string; port: number }[] = [];
    for (let n = 0; n < tunnels; n += 1) {
      // Every master of this machine can have any of its addresses.
      const address = { host: `${NET}.${100 + (n % masters)}`, port: FIRST_PORT + n };
      const url = `client://${address.host}:${address.port}/${NET}.200:${targetPort}?mode=1&log=none`;
      await place.ask("POST", "/fleet/services", {
        alias: `t${n}`,
        parts: [{ url, master: mids[n % masters] }],
      });
      places.push(address);
    }
    for (const { host, port } of places) {
      const socket = connect(port, host);
      held.push(socket);
      let waiting = 0;
      socket
        .on("error", () => socket.destroy())
        .on("close", () => {
          if (!isOver) fail("a held connection was cut");
        })
        .on("data", () => {
          waiting = 0;
          echoes += 1;
        });
      const speak = () => {
        if (isOver || socket.destroyed) return;
        if (waiting !== 0 && performance.now() - waiting > ECHO_LIMIT_MS) fail("no echo");
        if (waiting === 0) {
          waiting = performance.now();
          socket.write("word");
        }
        setTimeout(speak, WORD_MS);
      };
      setTimeout(speak, Math.random() * WORD_MS);
    }
    const user = async (n: number) => {
      const { host, port } = places[n % places.length] ?? { host: "", port: 0 };
      const socket = connect(port, host);
      connections += 1;
      let isDone = false;
      const late = setTimeout(() => socket.destroy(), ECHO_LIMIT_MS);
      socket.on("error", () => socket.destroy());
      socket.once("data", () => {
        isDone = true;
        socket.end();
      });
      socket.write("hello");
      await once(socket, "close");
      clearTimeout(late);
      if (!isDone && !isOver) fail("a new connection had no echo");
    };
    let n = 0;
    const users = setInterval(() => void user(n++), 1000 / rate);
    try {
      await delay(1000);
      await place.engine.kill();
      const before = { connections, echoes };
      await delay(downMs);
      const answer = await fetch(`${place.hubs[0]?.url}/fleet/services`, {
        method: "POST",
        headers: { "X-API-Key": place.created.adminToken, "Content-Type": "application/json" },
        body: JSON.stringify({ parts: [{ url: "server://:auto/:1", master: mids[0] }] }),
      });
      await answer.text();
      marks.is("a change meanwhile", answer.status, 503);
      marks.note(
        "tunnels; while it was away new connections, words answered on held ones",
        `${tunnels}; ${connections - before.connections}, ${echoes - before.echoes}`,
      );
      await place.engine.restart();
      await until(120_000, "all masters are back", areThere);
      await delay(2000);
      marks.is("connections of users that failed", failed, 0);
      marks.is(
        "held connections that are still open",
        held.filter(({ destroyed }) => !destroyed).length,
        tunnels,
      );
      const made = await place.ask<{ parts: { state: string }[] }>("GET", "/fleet/services");
      marks.is("services afterwards", (made as unknown as unknown[]).length, tunnels);
    } finally {
      isOver = true;
      clearInterval(users);
    }
    return marks.found();
  } finally {
    for (const socket of held) socket.destroy();
    target.close();
    await Promise.all(real.map((master) => master.close()));
    await place.close();
  }
}
