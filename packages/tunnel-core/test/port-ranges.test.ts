import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import type { LogRecord, Tunnel } from "@nodepass/tunnel-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openTunnel as openFirstRelease } from "./first-release/first-release.mjs";
import { documentedUrls } from "./support/documented.ts";
import { ownAddress } from "./support/middle-boxes.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { eventually, openEnd, tunnelPort } from "./support/tunnel-pair.ts";
import { dial, endUsers, openUdpPeer, readAll, refusalOf } from "./support/users.ts";

const TARGETS = ownAddress(210);
const USERS = ownAddress(211);
const FIRST = 9000;
const PORTS = 11;

const ends: Tunnel[] = [];
const logs: LogRecord[] = [];
/** A service on each port that says which one it is. */
const services: (Server | UdpSocket)[] = [];

beforeAll(async () => {
  for (let place = 0; place < PORTS; place++) {
    const port = FIRST + place;
    const tcp = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      void readAll(socket).then(
        (asked) => socket.end(`${port} ${asked}`),
        () => {},
      );
    }).listen(port, TARGETS);
    const udp = createSocket("udp4");
    udp.on("message", (datagram, from) => udp.send(`${port} ${datagram}`, from.port, from.address));
    udp.bind(port, TARGETS);
    await Promise.all([once(tcp, "listening"), once(udp, "listening")]);
    services.push(tcp, udp);
  }
});
afterAll(async () => {
  for (const service of services) service.close();
  await expectNoSockets();
});
afterEach(async () => {
  endUsers();
  for (const end of ends.splice(0).reverse()) await end.close({ timeoutMs: 0 });
});

async function open(url: string, takeOver?: Tunnel): Promise<Tunnel> {
  const end = await openEnd(url, logs, { takeOver });
  ends.push(end);
  return end;
}

async function ask(port: number, text = "hello"): Promise<string> {
  const socket = await dial({ host: USERS, port });
  const answer = readAll(socket);
  socket.end(text);
  return String(await answer);
}

async function askUdp(port: number): Promise<string> {
  const user = await openUdpPeer({ host: USERS, port });
  try {
    user.send(Buffer.from("hello"));
    await eventually(() => expect(user.received).toHaveLength(1));
    return String(user.received[0]);
  } finally {
    user.close();
  }
}

const RANGE = `${USERS}:8000-8010`;
const SERVED = `${TARGETS}:${FIRST}-${FIRST + PORTS - 1}`;

async function openRange(flow: "single" | "reverse" | "forward"): Promise<Tunnel> {
  if (flow === "single") return open(`client://${RANGE}/${SERVED}?mode=1`);
  const reverse = flow !== "forward";
  const [atServer, atClient] = reverse ? [RANGE, SERVED] : [SERVED, RANGE];
  const server = await open(`server://k@127.0.0.1:0/${atServer}?mode=${reverse ? 1 : 2}`);
  const client = await open(`client://k@127.0.0.1:${tunnelPort(server)}/${atClient}?mode=2&min=4`);
  await client.ready();
  return reverse ? server : client;
}

describe.each(["single", "reverse", "forward"] as const)("%s", (flow) => {
  test("each port leads to its own, over TCP and UDP, and has its own counters", async () => {
    const entry = await openRange(flow);
    for (let place = 0; place < PORTS; place++) {
      expect(await ask(8000 + place)).toBe(`${FIRST + place} hello`);
    }
    expect(await askUdp(8000)).toBe(`${FIRST} hello`);
    expect(await askUdp(8010)).toBe(`${FIRST + 10} hello`);
    const open = await dial({ host: USERS, port: 8003 });
    open.write("abc");
    await eventually(() => {
      const ports = entry.ports();
      expect(ports).toHaveLength(PORTS);
      expect(ports.map(({ port }) => port)).toEqual(
        Array.from({ length: PORTS }, (_, place) => 8000 + place),
      );
      expect(ports[3]).toMatchObject({ tcps: 1, tcprx: 8, tcptx: 10 });
      expect(ports[4]).toMatchObject({ tcps: 0, tcprx: 5, tcptx: 10, udps: 0, udprx: 0 });
      expect(ports[10]).toMatchObject({ udps: 1, udprx: 5, udptx: 10 });
    });
    const sum = entry.ports().reduce((bytes, { tcprx }) => bytes + tcprx, 0);
    expect(sum).toBe(entry.counters().tcprx);
  });
});

test("a target with one port takes all of them", async () => {
  await open(`client://${RANGE}/${TARGETS}:9005?mode=1&noudp=1`);
  expect([await ask(8000), await ask(8010)]).toEqual(["9005 hello", "9005 hello"]);
});

test("a port that the target's range does not have is refused, the others are served", async () => {
  const server = await open(`server://k@127.0.0.1:0/${RANGE}?mode=1`);
  const client = await open(
    `client://k@127.0.0.1:${tunnelPort(server)}/${TARGETS}:9000-9004?mode=2&min=2`,
  );
  await client.ready();
  expect(await ask(8004)).toBe("9004 hello");
  const refused = await dial({ host: USERS, port: 8005 });
  refused.resume();
  await once(refused, "close").catch(() => undefined);
  await eventually(() => expect(client.counters().failed).toBe(1));
});

test("a successor takes over every port", async () => {
  const first = await open(`client://${RANGE}/${SERVED}?mode=1`);
  const next = await open(`client://${RANGE}/${SERVED}?mode=1&compat=0`, first);
  await eventually(() => expect(first.state).toBe("closed"));
  expect([await ask(8000), await ask(8010)]).toEqual(["9000 hello", "9010 hello"]);
  expect(next.ports()).toHaveLength(PORTS);
});

test("a port of the range that is taken is named, and nothing is left bound", async () => {
  const other = createServer().listen(8006, USERS);
  await once(other, "listening");
  await expect(open(`client://${RANGE}/${SERVED}?mode=1&noudp=1`)).rejects.toMatchObject({
    code: "ADDRESS_IN_USE",
    message: `address ${USERS}:8006 (tcp) is in use`,
  });
  other.close();
  await once(other, "close");
  await open(`client://${RANGE}/${SERVED}?mode=1&noudp=1`);
  expect(await ask(8006)).toBe("9006 hello");
});

test("towards the first release the first port is served, and the others say why not", async () => {
  const server = await open(`server://k@127.0.0.1:0/${RANGE}?mode=1&noudp=1`);
  const client = await openEnd(
    `client://k@127.0.0.1:${tunnelPort(server)}/${TARGETS}:9002?mode=2&min=2`,
    [],
    {},
    openFirstRelease,
  );
  ends.push(client);
  await client.ready();
  expect(await ask(8000)).toBe("9002 hello");
  await refusalOf({ host: USERS, port: 8001 });
  await eventually(() => {
    expect(logs).toContainEqual(
      expect.objectContaining({
        message: "target unreachable",
        fields: expect.objectContaining({
          reason: "the other end knows no ranges of ports: only the first is served",
        }),
      }),
    );
  });
});

test("a range of 1,000 ports opens, serves, and closes", async () => {
  const entry = await open(`client://${USERS}:20000-20999/${TARGETS}:9001?mode=1`);
  expect(entry.ports()).toHaveLength(1000);
  for (const port of [20_000, 20_500, 20_999]) expect(await ask(port)).toBe("9001 hello");
  expect(await askUdp(20_999)).toBe("9001 hello");
});

test("docs/many-to-many.md tells port ranges", async () => {
  const [entry = "", exit = ""] = documentedUrls("Port ranges", {
    "@:10101": "@127.0.0.1:0",
    "/:8000": `/${USERS}:8000`,
    "127.0.0.1:9000": `${TARGETS}:9000`,
  });
  const server = await open(entry);
  const client = await open(
    exit.replace("server.example:10101", `127.0.0.1:${tunnelPort(server)}`),
  );
  await client.ready();
  expect([await ask(8000), await ask(8010)]).toEqual(["9000 hello", "9010 hello"]);
});
