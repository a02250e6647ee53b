import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { LogRecord } from "@nodepass/tunnel-core";
import { afterAll, expect, test } from "vitest";
import { expectNoSockets } from "./support/no-leaks.ts";
import { startScriptedTarget } from "./support/scripted-target.ts";
import {
  entryOf,
  eventually,
  openClient,
  openServer,
  type PairOptions,
  tunnelPort,
} from "./support/tunnel-pair.ts";
import { dial, endUsers, readExactly } from "./support/users.ts";

const DELAY_MS = 50;
const USERS = 300;

interface Road {
  readonly port: number;
  /** Most connections at once that the far side had not answered yet. */
  readonly mostUnanswered: number;
  /** Connections at once. */
  readonly most: number;
  close(): void;
}

/** A relay that holds every byte back for `DELAY_MS`, with no window of its own. */
async function startRoad(to: number): Promise<Road> {
  const sockets = new Set<Socket>();
  const unanswered = new Set<Socket>();
  let mostUnanswered = 0;
  let most = 0;
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: to, host: "127.0.0.1", allowHalfOpen: true });
    unanswered.add(far);
    most = Math.max(most, sockets.size / 2 + 1);
    mostUnanswered = Math.max(mostUnanswered, unanswered.size);
    far.once("data", () => unanswered.delete(far));
    far.once("close", () => unanswered.delete(far));
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      const later = (run: () => void): void => {
        setTimeout(run, DELAY_MS);
      };
      from.on("data", (bytes: Buffer) => later(() => into.write(bytes)));
      from.on("end", () => later(() => into.end()));
      from.on("error", () => into.destroy());
      from.on("close", () => {
        sockets.delete(from);
        later(() => into.destroy());
      });
    }
  });
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 });
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the road has no port");
  return {
    port: address.port,
    get mostUnanswered() {
      return mostUnanswered;
    },
    get most() {
      return most;
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

afterAll(async () => {
  endUsers();
  await expectNoSockets();
});

let turn: Promise<unknown> = Promise.resolve();

/** One after the other: what takes the machine. Waiting for a pool to shrink does not. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = turn.then(work);
  turn = result.catch(() => undefined);
  return result;
}

test.concurrent.for([
  { flow: "reverse", tls: 0, serverQuery: "lanes=0" },
  { flow: "forward", tls: 0, serverQuery: "lanes=0" },
  { flow: "reverse", tls: 1, serverQuery: "lanes=0" },
  { flow: "forward", tls: 1, serverQuery: "lanes=0" },
  { flow: "reverse", tls: 1 },
  { flow: "forward", tls: 0 },
] as const)(
  "many users at once over a long road, and the pool shrinks after them (%o)",
  async (way, { onTestFinished }) => {
    const target = await startScriptedTarget();
    onTestFinished(() => target.close());
    const logs: LogRecord[] = [];
    const options: PairOptions = {
      ...way,
      target: target.at,
      min: 8,
      // How long a busy machine takes is not what is looked at.
      limits: { poolGetTimeoutMs: 60_000, reportIntervalMs: 1000 },
    };
    const server = await openServer(options, logs);
    onTestFinished(() => server.close({ timeoutMs: 0 }));
    const road = await startRoad(tunnelPort(server));
    onTestFinished(() => road.close());
    const client = await openClient(options, road.port, logs);
    onTestFinished(() => client.close({ timeoutMs: 0 }));
    await client.ready();
    const entry = entryOf(way.flow === "reverse" ? server : client);
    const [users, answers] = await inTurn(async () => {
      const users = await Promise.all(Array.from({ length: USERS }, () => dial(entry)));
      const answers = await Promise.all(
        users.map((user, index) => {
          const said = Buffer.from(String(index).padStart(4, "0"));
          user.write(said);
          return readExactly(user, said.length);
        }),
      );
      return [users, answers] as const;
    });
    expect(answers.map(String)).toEqual(users.map((_, index) => String(index).padStart(4, "0")));
    // The server answers a TLS handshake at once; eight in the making, however long the road, were the
    // fault.
    const alone = "serverQuery" in way;
    if (way.tls === 1 && alone) expect(road.mostUnanswered).toBeGreaterThan(32);
    // They share lanes: no connection was made for them.
    if (!alone) expect(road.most).toBeLessThan(32);
    for (const user of users) user.end();
    await eventually(() => {
      expect(server.counters().tcps + client.counters().tcps).toBe(0);
      expect(server.counters().pool).toBe(8);
      expect(client.counters().pool).toBe(8);
    });
    expect(logs.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  },
);
