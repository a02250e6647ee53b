import { setTimeout as sleep } from "node:timers/promises";
import type { LogRecord, Tunnel } from "@nodepass/tunnel-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Authority, makeAuthority, SERVER_NAME } from "./support/authority.ts";
import {
  findProgram,
  type MiddleBox,
  ownAddress,
  startCaddy,
  startHaproxy,
  startMicrosocks,
  startNginx,
  startTinyproxy,
} from "./support/middle-boxes.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import {
  echoTcp,
  echoUdp,
  type ScriptedTarget,
  startScriptedTarget,
} from "./support/scripted-target.ts";
import { entryOf, eventually, openEnd } from "./support/tunnel-pair.ts";
import { digest, echo, echoRandom, endUsers, openUdpPeer, readAll } from "./support/users.ts";

/** Longer than the 60 s after which proxies close what is silent. */
const IDLE_MS = 70_000;
const USER = "ann";
const PASSWORD = "pass4word";
const SERVER_PORT = 10_101;
const BOX_PORT = 8443;

interface Road {
  readonly name: string;
  readonly program: string;
  readonly debian: string;
  /** Beside key, mode and addresses. */
  readonly server: string;
  readonly client: string;
  /** Whether users connect at the server. */
  readonly reverse: boolean;
  start(road: {
    readonly program: string;
    readonly listen: { readonly host: string; readonly port: number };
    readonly server: { readonly host: string; readonly port: number };
    readonly authority: Authority;
  }): Promise<MiddleBox>;
}

function files(authority: Authority): { certPath: string; keyPath: string } {
  const query = new URLSearchParams(authority.query);
  return { certPath: query.get("crt") ?? "", keyPath: query.get("key") ?? "" };
}

const out = { user: USER, password: PASSWORD };
const via = (scheme: string, host: string): string =>
  `via=${encodeURIComponent(`${scheme}://${USER}:${encodeURIComponent(PASSWORD)}@${host}:${BOX_PORT}`)}`;

const ROADS: readonly Road[] = [
  {
    name: "nginx in front",
    program: "nginx",
    debian: "nginx-light",
    server: "type=2&path=/tunnel",
    client: `front=2&sni=${SERVER_NAME}&path=/tunnel`,
    reverse: true,
    start: ({ authority, ...road }) => startNginx({ ...road, ...files(authority) }),
  },
  {
    name: "haproxy in front",
    program: "haproxy",
    debian: "haproxy",
    server: "type=2&path=/tunnel",
    client: `front=2&sni=${SERVER_NAME}&path=/tunnel`,
    reverse: false,
    start: ({ authority, ...road }) => startHaproxy({ ...road, ...files(authority) }),
  },
  {
    name: "caddy in front",
    program: "caddy",
    debian: "caddy",
    server: "type=2&path=/tunnel",
    client: `front=2&sni=${SERVER_NAME}&path=/tunnel`,
    reverse: true,
    start: ({ authority, ...road }) =>
      startCaddy({ ...road, ...files(authority), name: SERVER_NAME }),
  },
  {
    name: "an HTTP proxy on the way out, then a WebSocket in TLS",
    program: "tinyproxy",
    debian: "tinyproxy",
    server: "type=2&tls=1",
    client: via("http", "BOX"),
    reverse: true,
    start: (road) => startTinyproxy({ ...road, ...out }),
  },
  {
    name: "a SOCKS proxy on the way out, then TCP in TLS",
    program: "microsocks",
    debian: "microsocks",
    server: "type=0&tls=1",
    client: via("socks5", "BOX"),
    reverse: false,
    start: (road) => startMicrosocks({ ...road, ...out }),
  },
];

/** A tunnel whose connections go through a program that stands between its ends. */
interface OpenRoad {
  readonly authority: Authority;
  readonly target: ScriptedTarget;
  readonly server: Tunnel;
  readonly client: Tunnel;
  readonly between: MiddleBox;
  readonly logs: LogRecord[];
  readonly entry: { readonly host: string; readonly port: number };
}

async function open(road: Road, index: number, program: string): Promise<OpenRoad> {
  const host = ownAddress(10 + 2 * index);
  const box = { host: ownAddress(11 + 2 * index), port: BOX_PORT };
  const outwards = road.client.includes("via=");
  const logs: LogRecord[] = [];
  const authority = await makeAuthority();
  const target = await startScriptedTarget();
  const [users, service] = ["127.0.0.1:0", target.at];
  const at = road.reverse ? [users, service] : [service, users];
  const server = await openEnd(
    `server://secret@${host}:${SERVER_PORT}/${at[0]}?mode=${road.reverse ? 1 : 2}&${road.server}`,
    logs,
  );
  const between = await road.start({
    program,
    listen: box,
    server: { host, port: SERVER_PORT },
    authority,
  });
  const dialled = outwards ? `${host}:${SERVER_PORT}` : `${box.host}:${box.port}`;
  const query = road.client.replace("BOX", box.host);
  const client = await openEnd(`client://secret@${dialled}/${at[1]}?mode=2&min=8&${query}`, logs, {
    ca: authority.ca,
  });
  await client.ready({ signal: AbortSignal.timeout(20_000) }).catch((error: unknown) => {
    throw new Error(`no session: ${JSON.stringify(logs.slice(-6))}`, { cause: error });
  });
  await eventually(() => {
    if (client.counters().pool === 0 || server.counters().pool === 0) throw new Error("no pool");
  });
  const entry = entryOf(road.reverse ? server : client);
  return { authority, target, server, client, between, logs, entry };
}

describe("what stands between the two ends", () => {
  const roads = ROADS.flatMap((road, index) => {
    const program = findProgram(road.program, road.debian);
    return program === undefined ? [] : [{ name: road.name, road, index, program }];
  });
  const opened = new Map<string, OpenRoad>();
  const at = (name: string): OpenRoad => {
    const found = opened.get(name);
    if (found === undefined) throw new Error(`${name} is not open`);
    return found;
  };

  beforeAll(async () => {
    for (const { name, road, index, program } of roads) {
      opened.set(name, await open(road, index, program));
    }
  });

  afterAll(async () => {
    endUsers();
    for (const { client, server, between, target, authority } of opened.values()) {
      await client.close({ timeoutMs: 0 });
      await server.close({ timeoutMs: 0 });
      await between.close();
      await target.close();
      await authority.remove();
    }
    await expectNoSockets();
  });

  describe.each(roads)("$name", ({ name }) => {
    test("carries 16 MB both ways, unchanged", async () => {
      const { target, entry } = at(name);
      target.onTcp = echoTcp;
      const [sent, received] = await echoRandom(entry, 16_000_000);
      expect(received).toBe(sent);
    });

    test("serves 500 new connections", async () => {
      const { target, entry } = at(name);
      target.onTcp = echoTcp;
      for (let batch = 0; batch < 10; batch++) {
        const results = await Promise.all(
          Array.from({ length: 50 }, () => echoRandom(entry, 1000)),
        );
        for (const [sent, received] of results) expect(received).toBe(sent);
      }
    });

    test("passes on an end in one direction", async () => {
      const { target, entry } = at(name);
      target.onTcp = (socket) => {
        void readAll(socket).then((asked) => socket.end(digest(asked)));
      };
      const question = Buffer.alloc(100_000, 7);
      expect(String(await echo(entry, question))).toBe(digest(question));
    });

    test("carries datagrams with their edges", async () => {
      const { target, entry } = at(name);
      target.onUdp = echoUdp;
      const user = await openUdpPeer(entry);
      for (const size of [0, 1, 1200, 9000]) user.send(Buffer.alloc(size, size % 251));
      await eventually(() => expect(user.received.length).toBe(4));
      expect(user.received.map((datagram) => datagram.length).sort((a, b) => a - b)).toEqual([
        0, 1, 1200, 9000,
      ]);
      user.close();
    });
  });

  describe("after 70 s without a user", () => {
    const endings = new Map<string, number>();
    const countEndings = ({ logs }: OpenRoad): number =>
      logs.filter(({ message }) => message === "session ended").length;

    // One wait for all of them.
    beforeAll(async () => {
      for (const [name, road] of opened) endings.set(name, countEndings(road));
      await sleep(IDLE_MS);
    }, IDLE_MS + 60_000);

    test.each(roads)("$name serves at once", async ({ name }) => {
      const road = at(name);
      road.target.onTcp = echoTcp;
      const startedAt = performance.now();
      const [sent, received] = await echoRandom(road.entry, 1000);
      expect(received).toBe(sent);
      // No connection of the pool was cut meanwhile, and none had to be made first.
      expect(performance.now() - startedAt).toBeLessThan(2000);
      expect(countEndings(road)).toBe(endings.get(name));
    });
  });

  test.each(roads)("$name comes back when it is restarted", async ({ name }) => {
    const { target, entry, between, client } = at(name);
    target.onTcp = echoTcp;
    await between.restart();
    await eventually(async () => {
      const [sent, received] = await echoRandom(entry, 1000);
      expect(received).toBe(sent);
    });
    expect(client.state).toBe("running");
  });
});
