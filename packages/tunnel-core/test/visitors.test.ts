import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LogRecord, openTunnel, type Tunnel, TunnelPorts } from "@nodepass/tunnel-core";
import { parseTunnelUrl } from "@nodepass/url-config";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { changeInPlace } from "../src/tunnels/update-settings.ts";
import { tunnelToken } from "../src/wire/tunnel-token.ts";
import { documentedUrls } from "./support/documented.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import {
  echoTcp,
  echoUdp,
  type ScriptedTarget,
  startScriptedTarget,
} from "./support/scripted-target.ts";
import { entryOf, eventually, openEnd, tunnelPort } from "./support/tunnel-pair.ts";
import { dial, endOf, endUsers, readAll } from "./support/users.ts";

let target: ScriptedTarget;
const ends: Tunnel[] = [];
const logs: LogRecord[] = [];
const folder = mkdtempSync(join(tmpdir(), "nodepass-visitors-"));

beforeEach(async () => {
  logs.length = 0;
  target = await startScriptedTarget();
  target.onTcp = echoTcp;
  target.onUdp = echoUdp;
});

afterEach(async () => {
  endUsers();
  for (const end of ends.splice(0).reverse()) await end.close({ timeoutMs: 0 });
  await target.close();
  await expectNoSockets();
});

afterAll(() => rmSync(folder, { recursive: true }));

async function open(url: string): Promise<Tunnel> {
  const end = await openEnd(url, logs);
  ends.push(end);
  return end;
}

/** Asks from an own address and says what came back. */
async function visit(end: Tunnel, from: string): Promise<string> {
  const { host, port } = entryOf(end);
  const socket = connect({ host, port, localAddress: from, allowHalfOpen: true });
  const ended = endOf(socket);
  const answer = readAll(socket).catch(() => Buffer.alloc(0));
  socket.end("hello");
  return Promise.race([answer.then((bytes) => (bytes.length > 0 ? String(bytes) : ended)), ended]);
}

/** Sends a datagram from an own address; whether it was answered while another's was. */
async function datagramFrom(end: Tunnel, from: string) {
  const { host, port } = entryOf(end);
  const socket = createSocket("udp4");
  const received: string[] = [];
  socket.on("message", (datagram) => received.push(String(datagram)));
  socket.bind(0, from);
  await once(socket, "listening");
  return {
    received,
    send: () => socket.send("hello", port, host),
    close: () => socket.close(),
  };
}

describe.each(["reverse", "single"] as const)("users of a %s tunnel", (flow) => {
  const openEntry = async (query: string): Promise<Tunnel> => {
    if (flow === "single") {
      return open(`client://127.0.0.1:0/${target.at}?mode=1&${query}`);
    }
    const server = await open(`server://k@127.0.0.1:0/127.0.0.1:0?mode=1&${query}`);
    const client = await open(
      `client://k@127.0.0.1:${tunnelPort(server)}/${target.at}?mode=2&min=2`,
    );
    await client.ready();
    return server;
  };
  // The tunnel's own client comes from 127.0.0.1.
  const own = "127.0.0.1";

  test("come by allow and deny, over TCP and UDP, and are counted", async () => {
    const end = await openEntry(`allow=${own},127.0.0.32/28&deny=127.0.0.40`);
    expect(await visit(end, "127.0.0.33")).toBe("hello");
    expect(await visit(end, "127.0.0.40")).not.toBe("hello");
    expect(await visit(end, "127.0.0.60")).not.toBe("hello");
    expect(end.counters()).toMatchObject({ refusedDenied: 2, accepted: 3 });
    expect(logs).toContainEqual({
      level: "warn",
      message: "connection refused: its address may not come",
      fields: { address: "127.0.0.40" },
    });
    const welcome = await datagramFrom(end, "127.0.0.33");
    const denied = await datagramFrom(end, "127.0.0.60");
    denied.send();
    await eventually(() => {
      welcome.send();
      expect(welcome.received).toContain("hello");
    });
    expect(denied.received).toEqual([]);
    expect(end.counters().udpDropped).toBe(1);
    welcome.close();
    denied.close();
  });

  test("come by other lists while it runs, and who is in stays", async () => {
    const end = await openEntry("noudp=1");
    const staying = await dial(entryOf(end), "127.0.0.33");
    staying.write("a");
    await once(staying, "data");
    const settings = parseTunnelUrl(
      `${flow === "single" ? "client" : "server"}://${flow === "single" ? "" : "k@"}127.0.0.1:0/${
        flow === "single" ? target.at : "127.0.0.1:0"
      }?mode=1&noudp=1&deny=users:127.0.0.33`,
    );
    expect(changeInPlace(end, settings)).toBe(true);
    expect(await visit(end, "127.0.0.33")).not.toBe("hello");
    expect(await visit(end, "127.0.0.34")).toBe("hello");
    staying.write("b");
    expect(String((await once(staying, "data"))[0])).toBe("b");
    expect(() => end.update({ allow: [`file:${folder}/missing`] })).toThrow(/ENOENT/);
    expect(() => end.update({ allow: ["10.0.0.0/40"] })).toThrow(/allow/);
    end.update({ deny: [] });
    expect(await visit(end, "127.0.0.33")).toBe("hello");
  });

  test("come by a file that changes", async () => {
    const path = join(folder, `${flow}.txt`);
    writeFileSync(path, "127.0.0.33\n");
    const end = await openEntry(`noudp=1&allow=${own},users:file:${encodeURIComponent(path)}`);
    expect(await visit(end, "127.0.0.33")).toBe("hello");
    expect(await visit(end, "127.0.0.34")).not.toBe("hello");
    writeFileSync(path, "127.0.0.34 # another\n");
    await eventually(async () => expect(await visit(end, "127.0.0.34")).toBe("hello"));
    expect(await visit(end, "127.0.0.33")).not.toBe("hello");
  });
});

test("a file that is not there is an error that names it", async () => {
  await expect(
    openTunnel(`server://k@127.0.0.1:0/127.0.0.1:0?mode=1&deny=file:${folder}/none.txt`),
  ).rejects.toThrow(`file ${folder}/none.txt cannot be used: ENOENT`);
});

/** A handshake with a wrong token, from an own address. @returns the answer's first line, or how it ended */
async function knock(server: Tunnel, from: string, token = "00"): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: tunnelPort(server), localAddress: from });
  const ended = endOf(socket);
  const answer = readAll(socket).catch(() => Buffer.alloc(0));
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  const bytes = await Promise.race([answer, ended.then(() => Buffer.alloc(0))]);
  return bytes.length > 0 ? (String(bytes).split("\r\n")[0] ?? "") : ended;
}

describe("the tunnel port", () => {
  test("takes whom its lists let in, whoever the users are", async () => {
    const server = await open(
      "server://k@127.0.0.1:0/127.0.0.1:0?mode=1&deny=peers:127.0.0.33&allow=peers:127.0.0.0/24",
    );
    expect(await knock(server, "127.0.0.33")).not.toMatch(/^HTTP/);
    expect(await knock(server, "127.0.1.1")).not.toMatch(/^HTTP/);
    expect(await knock(server, "127.0.0.34")).toMatch(/ 401 /);
    expect(server.counters().refusedDenied).toBe(2);
    const client = await open(
      `client://k@127.0.0.1:${tunnelPort(server)}/${target.at}?mode=2&min=2`,
    );
    await client.ready();
    // `peers:` is not about users.
    expect(await visit(server, "127.0.0.33")).toBe("hello");
  });

  test("bans who fails to prove himself, tells it, and lifts it when it is told to", async () => {
    const server = await open("server://k@127.0.0.1:0/127.0.0.1:0?mode=1&ban=1");
    const client = await open(
      `client://k@127.0.0.1:${tunnelPort(server)}/${target.at}?mode=2&min=2`,
    );
    await client.ready();
    for (let failure = 0; failure < 3; failure++) {
      expect(await knock(server, "127.0.0.33")).toMatch(/ 401 /);
    }
    expect(await knock(server, "127.0.0.33")).not.toMatch(/^HTTP/);
    expect(await knock(server, "127.0.0.34")).toMatch(/ 401 /);
    expect(server.bans()).toMatchObject([{ address: "127.0.0.33", offences: 3 }]);
    const [ban] = server.bans();
    expect(ban?.forMs).toBeLessThanOrEqual(15_000);
    expect(server.counters()).toMatchObject({ refusedBanned: 1, handshakesRefused: 4 });
    expect(logs.filter(({ message }) => message === "address banned")).toHaveLength(1);
    // The present client's address is never banned: a stranger may share it.
    for (let failure = 0; failure < 5; failure++) {
      expect(await knock(server, "127.0.0.1")).toMatch(/ 401 /);
    }
    expect(await visit(server, "127.0.0.1")).toBe("hello");
    expect(server.liftBans("127.0.0.33")).toBe(1);
    expect(await knock(server, "127.0.0.33")).toMatch(/ 401 /);
  });

  test("of several tunnels says no word to one who has a key but may not come to its tunnel", async () => {
    const ports = new TunnelPorts();
    const first = await openEnd("server://k@127.0.0.1:0/127.0.0.1:0?mode=1", logs, { ports });
    ends.push(first);
    const at = `127.0.0.1:${tunnelPort(first)}`;
    const second = await openEnd(
      `server://other@${at}/127.0.0.1:0?mode=1&deny=peers:127.0.0.33,peers:127.0.0.1`,
      logs,
      { ports },
    );
    ends.push(second);
    expect(await knock(first, "127.0.0.33", tunnelToken("nobody's"))).toMatch(/ 401 /);
    expect(await knock(first, "127.0.0.33", tunnelToken("other"))).toMatch(/ 401 /);
    const client = await open(`client://other@${at}/${target.at}?mode=2`);
    await expect(client.ready({ failOnRefusal: true })).rejects.toThrow(/: 401 Unauthorized/);
    await client.close({ timeoutMs: 0 });
    expect(second.counters()).toMatchObject({ refusedDenied: 2, handshakesRefused: 2 });
    // Nobody is banned for a right key, and others come.
    expect(second.bans()).toEqual([]);
    expect(await knock(first, "127.0.0.34", tunnelToken("other"))).toMatch(/ 200 /);
  });

  test("bans nobody without ban=1", async () => {
    const server = await open("server://k@127.0.0.1:0/127.0.0.1:0?mode=1");
    for (let failure = 0; failure < 10; failure++) {
      expect(await knock(server, "127.0.0.33")).toMatch(/ 401 /);
    }
    expect(server.bans()).toEqual([]);
  });
});

test("docs/many-to-many.md tells who may come", async () => {
  const path = join(folder, "office.txt");
  writeFileSync(path, "127.0.0.32/28\n");
  const [url = ""] = documentedUrls("Who may come", {
    ":10101": "127.0.0.1:0",
    "/:8080": "/127.0.0.1:0",
    "/etc/nodepass/office.txt": path,
    "192.0.2.0/24": "127.0.0.64/28",
    "198.51.100.7": "127.0.0.1",
  });
  const server = await open(url);
  const client = await open(
    `client://KEY@127.0.0.1:${tunnelPort(server)}/${target.at}?mode=2&min=2`,
  );
  await client.ready();
  expect(await visit(server, "127.0.0.33")).toBe("hello");
  expect(await visit(server, "127.0.0.65")).toBe("hello");
  expect(await visit(server, "127.0.0.1")).not.toBe("hello");
  expect(await knock(server, "127.0.0.33")).not.toMatch(/^HTTP/);
});
