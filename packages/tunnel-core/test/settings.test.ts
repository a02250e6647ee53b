import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { openTunnel } from "@nodepass/tunnel-core";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { expectNoSockets } from "./support/no-leaks.ts";
import { closedPort, type ScriptedTarget, startScriptedTarget } from "./support/scripted-target.ts";
import {
  eventually,
  type Flow,
  openEnd,
  openPair,
  type PairOptions,
  serverUrl,
  type TunnelPair,
  tunnelPort,
} from "./support/tunnel-pair.ts";
import {
  dial,
  echo,
  endOf,
  endUsers,
  openUdpPeer,
  readAll,
  readExactly,
  refusalOf,
} from "./support/users.ts";

const FLOWS: readonly Flow[] = ["reverse", "forward", "single"];
const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);

let target: ScriptedTarget;
const open: { close(): Promise<unknown> }[] = [];

beforeEach(async () => {
  target = await startScriptedTarget();
  open.push(target);
});

afterEach(async () => {
  endUsers();
  for (const one of open.splice(0).reverse()) await one.close();
  await expectNoSockets();
});

async function pairWith(options: Partial<PairOptions> = {}): Promise<TunnelPair> {
  const pair = await openPair({
    flow: "reverse",
    target: target.at,
    ...options,
    // A single end measures by connecting to the target, which tests here count.
    limits: { reportIntervalMs: 60_000, ...options.limits },
  });
  open.push(pair);
  return pair;
}

describe("read", () => {
  test.each(FLOWS)("closes a connection without a byte for so long (%s)", async (flow) => {
    const pair = await pairWith({ flow, query: "read=200ms" });
    const user = await dial(pair.entry);
    const end = endOf(user);
    user.write("x");
    await end;
    await eventually(() => expect(pair.exitEnd.counters().tcps).toBe(0));
  });

  test.each(["up", "down"])("one direction with bytes keeps both open (%s)", async (way) => {
    const pair = await pairWith({ query: "read=300ms" });
    const taken = new Promise<Socket>((resolve) => {
      target.onTcp = resolve;
    });
    const user = await dial(pair.entry);
    const served = await taken;
    const [from, to] = way === "up" ? [user, served] : [served, user];
    let received = 0;
    to.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    let sent = 0;
    for (const startedAt = performance.now(); performance.now() - startedAt < 900; sent++) {
      from.write("x");
      await sleep(20);
    }
    await eventually(() => expect(received).toBe(sent));
    expect(to.destroyed).toBe(false);
    user.destroy();
  });

  test("0 never closes one", async () => {
    const pair = await pairWith({ query: "read=0" });
    const user = await dial(pair.entry);
    user.write("x");
    await readExactly(user, 1);
    await sleep(300);
    user.write("y");
    expect(String(await readExactly(user, 1))).toBe("y");
    user.destroy();
  });
});

describe("slot", () => {
  test.each(FLOWS)("admits exactly 100 of 1,000 who come at once (%s)", async (flow) => {
    const pair = await pairWith({
      flow,
      ...(flow === "forward" ? { clientQuery: "slot=100" } : { serverQuery: "slot=100" }),
      ...(flow === "single" && { clientQuery: "slot=100" }),
    });
    const users = await Promise.all(Array.from({ length: 1000 }, () => dial(pair.entry)));
    let served = 0;
    let refused = 0;
    for (const user of users) {
      user.on("error", () => {});
      user.once("close", () => refused++);
      user.once("data", () => served++);
      user.write("hello");
    }
    await eventually(() => expect([served, refused]).toEqual([100, 900]));
    expect(pair.entryEnd.counters().tcps).toBe(100);
    // A place that is given back can be taken again.
    for (const user of users) user.destroy();
    await eventually(() => expect(pair.entryEnd.counters().tcps).toBe(0));
    expect(String(await echo(pair.entry, Buffer.from("again")))).toBe("again");
  });

  test("is shared by TCP connections and UDP sessions", async () => {
    const pair = await pairWith({ serverQuery: "slot=5" });
    const users = await Promise.all(Array.from({ length: 3 }, () => dial(pair.entry)));
    for (const user of users) {
      user.write("x");
      await readExactly(user, 1);
    }
    const peers = await Promise.all(Array.from({ length: 4 }, () => openUdpPeer(pair.entry)));
    for (const peer of peers) peer.send(Buffer.from("x"));
    await eventually(() => {
      expect(pair.entryEnd.counters()).toMatchObject({ tcps: 3, udps: 2, udpDropped: 2 });
      expect(peers.filter(({ received }) => received.length === 1).length).toBe(2);
    });
    expect(await refusalOf(pair.entry)).toBe("ECONNRESET");
    for (const user of users) user.destroy();
    for (const peer of peers) peer.close();
  });

  test("at the exit resets those who are too many", async () => {
    const pair = await pairWith({ clientQuery: "slot=10" });
    const users = await Promise.all(Array.from({ length: 30 }, () => dial(pair.entry)));
    let refused = 0;
    for (const user of users) {
      user.on("error", () => {});
      user.once("close", () => refused++);
      user.write("x");
      user.resume();
    }
    await eventually(() => expect(refused).toBe(20));
    expect(pair.exitEnd.counters().tcps).toBe(10);
    for (const user of users) user.destroy();
  });
});

describe("block", () => {
  const TLS_HELLO = Buffer.from("1603010200010001fc0303", "hex");
  const BLOCKED: [string, string, Buffer][] = [
    ["SOCKS5", "1", Buffer.from([5, 1, 0])],
    ["SOCKS4", "1", Buffer.from([4, 1, 0, 80, 127, 0, 0, 1, 0])],
    ["HTTP GET", "2", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["HTTP PROPFIND", "2", Buffer.from("PROPFIND /x HTTP/1.1\r\n\r\n")],
    ["HTTP CONNECT", "2", Buffer.from("CONNECT a:1 HTTP/1.1\r\n\r\n")],
    ["the preface of HTTP/2", "2", Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")],
    ["TLS", "3", TLS_HELLO],
  ];

  describe.each(FLOWS)("%s", (flow) => {
    test.each(BLOCKED)("closes %s that comes byte by byte", async (_name, digit, bytes) => {
      const pair = await pairWith({ flow, query: `block=${digit}` });
      const taken: Buffer[] = [];
      target.onTcp = (socket) => void socket.on("data", (chunk: Buffer) => taken.push(chunk));
      const user = await dial(pair.entry);
      const end = endOf(user);
      let closed = false;
      user.once("close", () => {
        closed = true;
      });
      for (const byte of bytes) {
        if (closed) break;
        user.write(Buffer.from([byte]));
        await sleep(1);
      }
      await end;
      expect(Buffer.concat(taken).length).toBe(0);
      await eventually(() => expect(pair.exitEnd.counters().tcps).toBe(0));
    });

    test("does not hold up a server that speaks first", async () => {
      const pair = await pairWith({ flow, query: "block=123" });
      target.onTcp = (socket) => {
        socket.write("SSH-2.0-test\r\n");
        socket.pipe(socket);
      };
      const user = await dial(pair.entry);
      expect(String(await readExactly(user, 14))).toBe("SSH-2.0-test\r\n");
      user.end("SSH-2.0-user\r\n");
      expect(String(await readAll(user))).toBe("SSH-2.0-user\r\n");
    });

    test("lets other protocols through whole, however they are cut", async () => {
      const pair = await pairWith({ flow, query: "block=123" });
      for (const text of [
        "SSH-2.0-x\r\n",
        "EHLO me\r\n",
        "GETAWAY\r\n",
        "\x00\x00\x00\x08\x04\xd2",
      ]) {
        const user = await dial(pair.entry);
        const answer = readAll(user);
        for (const char of text) {
          user.write(Buffer.from(char, "latin1"));
          await sleep(1);
        }
        user.end();
        expect((await answer).toString("latin1")).toBe(text);
      }
    });

    test("passes on what never became a blocked protocol when the user ends", async () => {
      const pair = await pairWith({ flow, query: "block=123" });
      expect(String(await echo(pair.entry, Buffer.from("hello world")))).toBe("hello world");
      expect((await echo(pair.entry, Buffer.alloc(0))).length).toBe(0);
    });
  });
});

describe("proxy", () => {
  async function headerAt(pair: TunnelPair, to: ScriptedTarget): Promise<[string, number]> {
    const line = new Promise<string>((resolve) => {
      to.onTcp = (socket) => {
        let text = "";
        socket.on("data", (chunk: Buffer) => {
          text += String(chunk);
          if (text.endsWith("data")) {
            socket.end();
            resolve(text);
          }
        });
      };
    });
    const user = await dial(pair.entry);
    const { localPort = 0 } = user;
    user.end("data");
    const text = await line;
    await readAll(user);
    return [text, localPort];
  }

  test.each(FLOWS)("1 sends the header of version 1 first (%s)", async (flow) => {
    const pair = await pairWith({ flow, query: "proxy=1" });
    const [text, port] = await headerAt(pair, target);
    expect(text).toBe(`PROXY TCP4 127.0.0.1 127.0.0.1 ${port} ${target.port}\r\ndata`);
    expect(pair.exitEnd.counters()).toMatchObject(
      flow === "single" ? { tcprx: 4, tcptx: 0 } : { tcprx: 0, tcptx: 4 },
    );
  });

  test.skipIf(!hasIpv6)("names IPv6 users of an IPv6 target (skipped without ::1)", async () => {
    const six = await startScriptedTarget("::1");
    open.push(six);
    const server = await openEnd("server://secret@127.0.0.1:0/[::1]:0?mode=1");
    open.push(server);
    const client = await openEnd(
      `client://secret@127.0.0.1:${tunnelPort(server)}/${six.at}?mode=2&proxy=1`,
    );
    open.push(client);
    await client.ready();
    const entry = { host: "::1", port: server.entryAddress?.port ?? 0 };
    const [text, port] = await headerAt({ entry } as TunnelPair, six);
    expect(text).toBe(`PROXY TCP6 ::1 ::1 ${port} ${six.port}\r\ndata`);
  });

  test.skipIf(!hasIpv6)("says UNKNOWN for two families (skipped without ::1)", async () => {
    const six = await startScriptedTarget("::1");
    open.push(six);
    const pair = await pairWith({ target: six.at, query: "proxy=1" });
    const [text] = await headerAt(pair, six);
    expect(text).toBe("PROXY UNKNOWN\r\ndata");
  });
});

describe("notcp and noudp", () => {
  test.each(FLOWS)("notcp=1 carries UDP only (%s)", async (flow) => {
    const pair = await pairWith({ flow, query: "notcp=1" });
    await expect(dial(pair.entry)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    const peer = await openUdpPeer(pair.entry);
    peer.send(Buffer.from("x"));
    await eventually(() => expect(peer.received.map(String)).toEqual(["x"]));
    peer.close();
  });

  test.each(FLOWS)("noudp=1 carries TCP only (%s)", async (flow) => {
    const pair = await pairWith({ flow, query: "noudp=1" });
    expect(String(await echo(pair.entry, Buffer.from("x")))).toBe("x");
    const peer = await openUdpPeer(pair.entry);
    const refused = once(peer.socket, "error");
    peer.send(Buffer.from("x"));
    expect(await refused).toMatchObject([{ code: "ECONNREFUSED" }]);
    peer.close();
  });

  test("at the exit alone refuses what the entry takes", async () => {
    const pair = await pairWith({ clientQuery: "notcp=1" });
    expect(await refusalOf(pair.entry)).toBe("ECONNRESET");
    const noUdp = await pairWith({ clientQuery: "noudp=1" });
    const peer = await openUdpPeer(noUdp.entry);
    peer.send(Buffer.from("x"));
    await eventually(() => expect(noUdp.entryEnd.counters()).toMatchObject({ udps: 0, udprx: 1 }));
    expect(target.udpSources.size).toBe(0);
    peer.close();
  });
});

describe("dial", () => {
  test.each(FLOWS)("dials the target from this address (%s)", async (flow) => {
    const pair = await pairWith({ flow, query: "dial=127.0.0.2" });
    const from: (string | undefined)[] = [];
    target.onTcp = (socket) => {
      from.push(socket.remoteAddress);
      socket.end();
    };
    await readAll(await dial(pair.entry));
    expect(from).toEqual(["127.0.0.2"]);
    const peer = await openUdpPeer(pair.entry);
    peer.send(Buffer.from("x"));
    await eventually(() => expect(peer.received.length).toBe(1));
    expect([...target.udpSources][0]).toMatch(/^127\.0\.0\.2:/);
    peer.close();
  });
});

describe("several targets", () => {
  test.each(FLOWS)("are taken in turn, and one that refuses is skipped (%s)", async (flow) => {
    const targets = [target, await startScriptedTarget(), await startScriptedTarget()];
    open.push(...targets.slice(1));
    const down = `127.0.0.1:${await closedPort()}`;
    const at = [...targets.map((one) => one.at), down].join(",");
    const pair = await pairWith({ flow, target: at });
    for (let count = 0; count < 12; count++) {
      const payload = randomBytes(10);
      expect((await echo(pair.entry, payload)).equals(payload)).toBe(true);
    }
    // The turn of the one that is down falls to the next.
    expect(targets.map(({ connections }) => connections)).toEqual([6, 3, 3]);
    await targets[1]?.close();
    open.splice(open.indexOf(targets[1] as ScriptedTarget), 1);
    for (let count = 0; count < 8; count++) {
      expect(String(await echo(pair.entry, Buffer.from("x")))).toBe("x");
    }
    expect(pair.logs.filter(({ level }) => level === "error")).toEqual([]);
  });

  test("are taken in turn by UDP sessions", async () => {
    const second = await startScriptedTarget();
    open.push(second);
    const pair = await pairWith({ target: `${target.at},${second.at}` });
    for (let count = 1; count <= 4; count++) {
      const peer = await openUdpPeer(pair.entry);
      peer.send(Buffer.from("x"));
      await eventually(() => expect(peer.received.length).toBe(1));
      peer.close();
    }
    expect([target.udpSources.size, second.udpSources.size]).toEqual([2, 2]);
  });
});

describe("names", () => {
  test.each(FLOWS)("a target is found by its name (%s)", async (flow) => {
    const pair = await pairWith({ flow, target: `localhost:${target.port}` });
    expect(String(await echo(pair.entry, Buffer.from("x")))).toBe("x");
    const peer = await openUdpPeer(pair.entry);
    // UDP cannot tell that nobody listens at another address of the name.
    peer.send(Buffer.from("x"));
    await eventually(() => expect(pair.exitEnd.counters().udprx).toBeGreaterThan(0));
    peer.close();
  });

  test("a name that does not resolve resets the user", async () => {
    const pair = await pairWith({ target: "no-such-host.invalid:1" });
    expect(await refusalOf(pair.entry)).toBe("ECONNRESET");
  });
});

describe("who may meet", () => {
  test.each([
    ["server", { serverQuery: "compat=0" }],
    ["client", { clientQuery: "compat=0" }],
    ["both", { query: "compat=0" }],
  ])("compat=0 at the %s does not concern nodes of this project", async (_end, options) => {
    const pair = await pairWith(options);
    expect(String(await echo(pair.entry, Buffer.from("x")))).toBe("x");
  });

  test.each(["compat=0", "compat=1"])("a wrong key is refused (%s)", async (query) => {
    const server = await openEnd(`server://right@127.0.0.1:0/127.0.0.1:0?mode=1&${query}`);
    open.push(server);
    const client = await openEnd(
      `client://wrong@127.0.0.1:${tunnelPort(server)}/${target.at}?mode=2&${query}`,
    );
    open.push(client);
    await eventually(() => expect(client.reason).toMatch(/401/));
    expect(client.state).toBe("error");
    expect(server.counters().pool).toBe(0);
    expect(JSON.stringify(client.reason)).not.toContain("wrong@");
  });

  test("two URLs without a key meet under that of the port, and say so", async () => {
    const logs: { level: string; message: string }[] = [];
    const server = await openTunnel("server://127.0.0.1:0/127.0.0.1:0?mode=1", {
      onCreate: (tunnel) => tunnel.on("log", (record) => logs.push(record)),
    });
    open.push({ close: () => server.close({ timeoutMs: 0 }) });
    expect(logs.filter(({ level }) => level === "warn").length).toBe(1);
  });

  test("type 1 without its package is refused with what to install", async () => {
    const url = `${serverUrl({ flow: "reverse", target: target.at })}&type=1`;
    await expect(openTunnel(url)).rejects.toMatchObject({
      code: "UNSUPPORTED_POOL_TYPE",
      message: expect.stringContaining("@nodepass/carrier-quic"),
    });
  });

  test("an address that is taken is a clear error", async () => {
    const server = await openEnd("server://k@127.0.0.1:0/127.0.0.1:0?mode=1");
    open.push(server);
    const url = `server://k@127.0.0.1:${tunnelPort(server)}/127.0.0.1:0?mode=1`;
    await expect(openTunnel(url)).rejects.toMatchObject({ code: "ADDRESS_IN_USE" });
    const entry = `server://k@127.0.0.1:0/127.0.0.1:${server.entryAddress?.port}?mode=1`;
    await expect(openTunnel(entry)).rejects.toMatchObject({ code: "ADDRESS_IN_USE" });
    await expect(openTunnel("server://k@192.0.2.1:0/127.0.0.1:0?mode=1")).rejects.toMatchObject({
      code: "BIND_FAILED",
    });
  });

  test("a target that leads back into the tunnel is an error", async () => {
    await expect(openTunnel("client://k@127.0.0.1:7/127.0.0.1:7?mode=1")).rejects.toMatchObject({
      code: "INVALID_URL",
      problems: [{ code: "LOOP" }],
    });
  });
});

afterAll(expectNoSockets);
