import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Tunnel } from "@nodepass/tunnel-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { expectNoSockets } from "./support/no-leaks.ts";
import { type ScriptedTarget, startScriptedTarget } from "./support/scripted-target.ts";
import {
  clientUrl,
  entryOf,
  eventually,
  openClient,
  openEnd,
  openPair,
  openServer,
  type PairOptions,
  tunnelPort,
} from "./support/tunnel-pair.ts";
import { dial, echo, endOf, endUsers } from "./support/users.ts";

/** Decides what a door does with a connection; `index` counts from 0. */
type Guard = (client: Socket, index: number) => "pass" | "seized";

interface Door {
  readonly port: number;
  readonly count: number;
  close(): void;
}

/** A path to `upstream` whose guard may take connections for itself. */
async function openDoor(upstream: number, guard: Guard): Promise<Door> {
  const sockets = new Set<Socket>();
  let count = 0;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  };
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    keep(client);
    if (guard(client, count++) === "seized") return;
    const node = connect({ host: "127.0.0.1", port: upstream, allowHalfOpen: true });
    keep(node);
    client.pipe(node);
    node.pipe(client);
    client.once("close", () => node.destroy());
    node.once("close", () => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    get count() {
      return count;
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

let target: ScriptedTarget;
const ends: { destroy(): void }[] = [];
const doors: Door[] = [];

beforeEach(async () => {
  target = await startScriptedTarget();
});

afterEach(async () => {
  endUsers();
  for (const end of ends.splice(0)) end.destroy();
  for (const door of doors.splice(0)) door.close();
  await target.close();
  await expectNoSockets();
});

function pairOptions(options: Partial<PairOptions> = {}): PairOptions {
  return { flow: "reverse", target: target.at, min: 4, ...options };
}

async function throughDoor(
  guard: Guard,
  options: Partial<PairOptions> = {},
): Promise<{ server: Tunnel; client: Tunnel; door: Door }> {
  const full = pairOptions(options);
  const server = await openServer(full);
  ends.push(server);
  const door = await openDoor(tunnelPort(server), guard);
  doors.push(door);
  const client = await openClient(full, door.port);
  ends.push(client);
  return { server, client, door };
}

describe.each([0, 1] as const)("tls %i", (tls) => {
  test("dials the control connection again when the path resets the first one", async () => {
    let handshakes = 0;
    const guard: Guard = (client, index) => {
      if (index === 0) handshakes++;
      // Connection 0 is the handshake; the next one would be the control connection.
      if (index !== 1) return "pass";
      client.resetAndDestroy();
      return "seized";
    };
    const { client, server, door } = await throughDoor(guard, {
      tls,
      // A second handshake would come after it: the test would not end in its time.
      limits: { handshakeTimeoutMs: 60_000 },
    });
    await client.ready();
    await eventually(() => expect(server.counters().pool).toBeGreaterThan(0));
    expect(await echo(entryOf(server), Buffer.from("hello"))).toEqual(Buffer.from("hello"));
    expect(handshakes).toBe(1);
    // What came in vain before the control connection would be in the pool, over and over.
    expect(door.count).toBeLessThan(20);
  });
});

test("dials at the pace of the settings when every pool connection is cut at once", async () => {
  const guard: Guard = (client, index) => {
    if (index < 2) return "pass";
    client.destroy();
    return "seized";
  };
  const limits = { reportIntervalMs: 60_000, maxPoolIntervalMs: 60_000, minPoolIntervalMs: 60_000 };
  const { client, door } = await throughDoor(guard, { limits });
  await client.ready();
  // The pool is given up for now: its size and one try each stay.
  await eventually(() => expect(door.count).toBeGreaterThan(4));
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(door.count).toBeLessThan(20);
});

/** A NodePass 1.14 server whose HTTP listener takes the first pool dials and ends them. */
test("keeps to its session when a 1.14 server's closing listener ends the first dials", async () => {
  let handshakes = 0;
  let ended = 0;
  let ids = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    if (handshakes > 0 && ended < 2) {
      ended++;
      socket.end();
    } else if (handshakes > 0) {
      const id = Buffer.alloc(4);
      id.writeUInt32BE(ids++);
      socket.write(id);
    } else {
      socket.once("data", (head: Buffer) => {
        if (head.includes("Bearer ")) handshakes++;
        const body = '{"flow":"-","max":8,"tls":"0","type":"0"}\n';
        const status = head.includes("Bearer ") ? "200 OK" : "401 Unauthorized";
        const fields = `Connection: close\r\nContent-Length: ${body.length}`;
        socket.end(`HTTP/1.1 ${status}\r\n${fields}\r\n\r\n${body}`);
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push({
    destroy: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const client = await openEnd(clientUrl(pairOptions(), port));
  ends.push(client);
  await client.ready();
  expect(handshakes).toBe(1);
  expect(ended).toBe(2);
});

describe("closing while a target is being dialled", () => {
  test.each(["single", "reverse", "forward"] as const)(
    "flow %s: the user is reset",
    async (flow) => {
      const pair = await openPair(pairOptions({ flow }));
      ends.push(pair.client, ...(pair.server === undefined ? [] : [pair.server]));
      const user = await dial(pair.entry);
      const end = endOf(user);
      user.write("first bytes");
      const { exitEnd } = pair;
      // A dial takes a turn of the loop, so it is under way when this sees the connection.
      await new Promise<void>((resolve) => {
        const look = (): void => {
          if (exitEnd.counters().tcps === 0) setImmediate(look);
          else resolve(exitEnd.destroy());
        };
        look();
      });
      expect(await end).toBe("ECONNRESET");
      expect(exitEnd.counters().tcps).toBe(0);
    },
  );
});

describe.each(["reverse", "forward"] as const)("flow %s", (flow) => {
  test("a target that ends its side and reads no more holds up nobody else", async () => {
    target.onTcp = (socket) => {
      if (target.connections > 1) socket.pipe(socket);
      else socket.pause().end("early answer");
    };
    const pair = await openPair(pairOptions({ flow, min: 1 }));
    ends.push(pair.client, pair.exitEnd, pair.entryEnd);
    const first = await dial(pair.entry);
    first.write("x");
    first.resume();
    await once(first, "end");
    first.end(Buffer.alloc(8 * 1024 * 1024));
    // Until all is on its way, or the buffers of this system are full: then nobody waits behind it.
    let [seen, looks] = [0, 0];
    await eventually(() => {
      const { tcprx } = pair.entryEnd.counters();
      looks = tcprx === seen ? looks + 1 : 0;
      seen = tcprx;
      expect(first.destroyed || looks > 50).toBe(true);
    });
    const hello = Buffer.from("hello");
    const answers = await Promise.all(Array.from({ length: 6 }, () => echo(pair.entry, hello)));
    expect(answers).toEqual(answers.map(() => hello));
  });

  test("no byte is lost of an upload behind which the pool connection is closed", async () => {
    const size = 1024 * 1024;
    let got = 0;
    let ended = false;
    target.onTcp = (socket) => {
      socket.end("early answer");
      socket.on("data", (bytes: Buffer) => {
        got += bytes.length;
      });
      socket.once("end", () => {
        ended = true;
      });
      socket.pause();
      // It reads only when the user has gone, and with him the pool connection.
      user.once("close", () => socket.resume());
    };
    const pair = await openPair(pairOptions({ flow, min: 1 }));
    ends.push(pair.client, pair.exitEnd, pair.entryEnd);
    const user = await dial(pair.entry);
    user.write("x");
    user.resume();
    await once(user, "end");
    user.end(Buffer.alloc(size - 1));
    await eventually(() => expect(ended).toBe(true));
    expect(got).toBe(size);
  });
});
