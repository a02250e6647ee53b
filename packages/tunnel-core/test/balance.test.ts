import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Tunnel, TunnelOptions } from "@nodepass/tunnel-core";
import { afterEach, expect, test } from "vitest";
import { documentedUrls } from "./support/documented.ts";
import { ownAddress } from "./support/middle-boxes.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { entryOf, eventually, openEnd, tunnelPort } from "./support/tunnel-pair.ts";
import { dial, endUsers, readAll } from "./support/users.ts";

const HOST = ownAddress(220);

/** A service that says its port, and can be away. */
class Service {
  readonly port: number;
  connections = 0;
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();

  constructor(port: number) {
    this.port = port;
  }

  async up(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.end(String(this.port));
    }).listen(this.port, HOST);
    await once(server, "listening");
    this.#server = server;
  }

  async down(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.close();
    await once(server, "close");
  }
}

const ends: Tunnel[] = [];
const services: Service[] = [];

afterEach(async () => {
  endUsers();
  for (const end of ends.splice(0).reverse()) await end.close({ timeoutMs: 0 });
  for (const service of services.splice(0)) await service.down();
  await expectNoSockets();
});

async function serve(...ports: number[]): Promise<Service[]> {
  const made = ports.map((port) => new Service(port));
  services.push(...made);
  for (const service of made) await service.up();
  return made;
}

async function open(url: string, limits: TunnelOptions["limits"] = {}): Promise<Tunnel> {
  const end = await openEnd(url, [], { limits });
  ends.push(end);
  return end;
}

async function ask(end: Tunnel, from = "127.0.0.1"): Promise<string> {
  const socket = await dial(entryOf(end), from);
  const answer = readAll(socket);
  socket.end();
  return String(await answer);
}

const targets = (...ports: (number | string)[]) => ports.map((port) => `${HOST}:${port}`).join(",");

test("a primary is taken while it works, and returned to without a user's waiting", async () => {
  const [primary, backup] = await serve(81, 82);
  const end = await open(`client://127.0.0.1:0/${targets(81, 82)}?mode=1&noudp=1&lbs=2`, {
    fallbackIntervalMs: 50,
  });
  expect([await ask(end), await ask(end)]).toEqual(["81", "81"]);
  await primary?.down();
  expect([await ask(end), await ask(end)]).toEqual(["82", "82"]);
  expect(end.targets().filter(({ resting }) => resting)).toHaveLength(1);
  await primary?.up();
  // By the background's own connection: no user has tried it.
  await eventually(() => expect(end.targets().every(({ resting }) => !resting)).toBe(true));
  expect(await ask(end)).toBe("81");
  expect(backup?.connections).toBe(2);
});

test("through a tunnel a user's address sticks to a target, over both ends", async () => {
  await serve(81, 82, 83);
  const server = await open("server://k@127.0.0.1:0/127.0.0.1:0?mode=1&noudp=1");
  const client = await open(
    `client://k@127.0.0.1:${tunnelPort(server)}/${targets(81, 82, 83)}?mode=2&min=2&sticky=1`,
  );
  await client.ready();
  const seen = new Set<string>();
  for (let last = 1; last <= 12; last++) {
    const from = `127.0.9.${last}`;
    const given = await ask(server, from);
    seen.add(given);
    expect(await ask(server, from)).toBe(given);
    expect(await ask(server, from)).toBe(given);
  }
  expect(seen.size).toBeGreaterThan(1);
});

test("the lowest latency wins, and each target is measured while users come", async () => {
  const made = await serve(81, 82);
  const end = await open(`client://127.0.0.1:0/${targets(81, 82)}?mode=1&noudp=1&lbs=1`, {
    reportIntervalMs: 50,
  });
  await ask(end);
  await ask(end);
  // Both were asked: the one, and then the other, of which nothing was known.
  for (const service of made) expect(service.connections).toBeGreaterThan(0);
  const before = made.map(({ connections }) => connections);
  await eventually(async () => {
    await ask(end);
    for (const [at, service] of made.entries()) {
      expect(service.connections).toBeGreaterThan((before[at] ?? 0) + 3);
    }
  });
});

test("weights change in place", async () => {
  await serve(81, 82);
  const end = await open(`client://127.0.0.1:0/${targets("81*3", 82)}?mode=1&noudp=1`);
  const got = [];
  for (let user = 0; user < 8; user++) got.push(await ask(end));
  expect(got.filter((port) => port === "81")).toHaveLength(6);
  end.update({
    targets: [
      { host: HOST, port: 81 },
      { host: HOST, port: 82, weight: 3 },
    ],
  });
  got.length = 0;
  for (let user = 0; user < 8; user++) got.push(await ask(end));
  expect(got.filter((port) => port === "82")).toHaveLength(6);
});

test("docs/many-to-many.md tells several targets", async () => {
  const [primary] = await serve(81, 82);
  const urls = documentedUrls("Several targets", {
    "127.0.0.1:808": "127.0.0.1:0#",
    "127.0.0.1:81": `${HOST}:81`,
    "127.0.0.1:82": `${HOST}:82`,
  }).map((url) => url.replace(/:0#\d/, ":0").replace("?", "?noudp=1&"));
  const [weighted, backup, sticky] = await Promise.all(urls.map((url) => open(url)));
  if (weighted === undefined || backup === undefined || sticky === undefined) {
    throw new Error("three commands are told");
  }
  const got: string[] = [];
  for (let user = 0; user < 4; user++) got.push(await ask(weighted));
  expect(got.sort()).toEqual(["81", "81", "81", "82"]);
  expect([await ask(backup), await ask(backup)]).toEqual(["81", "81"]);
  const given = await ask(sticky, "127.0.9.1");
  expect(await ask(sticky, "127.0.9.1")).toBe(given);
  await primary?.down();
  expect(await ask(backup)).toBe("82");
});
