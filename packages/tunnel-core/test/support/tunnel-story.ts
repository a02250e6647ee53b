import { randomBytes } from "node:crypto";
import type { RemoteInfo, Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Authority } from "./authority.ts";
import { expectNoSockets } from "./no-leaks.ts";
import {
  closedPort,
  echoTcp,
  echoUdp,
  type ScriptedTarget,
  startScriptedTarget,
} from "./scripted-target.ts";
import { eventually, openPair, type PairOptions, type TunnelPair } from "./tunnel-pair.ts";
import {
  dial,
  digest,
  echo,
  echoRandom,
  endOf,
  endUsers,
  openUdpPeer,
  readAll,
  readExactly,
} from "./users.ts";

/** Loopback's largest datagrams and those that other programs cut. */
const UDP_SIZES = [0, 1, 17, 1200, 1472, 2049, 9013, 16_385, 60_000, 65_507];
/** Short, so that a test outlives it; the sweep needs several turns of the loop in any case. */
const UDP_IDLE_MS = 400;
/** Buffers of the system and of the tunnel hold up to some 50 MiB of it, on all hops together. */
const SLOW_READER_BYTES = 96 * 1024 * 1024;

export type StoryOptions = Omit<PairOptions, "target" | "authority">;

/** The story that every mode and transport has to live through. */
export function tunnelStory(options: StoryOptions, authority: () => Authority): void {
  let target: ScriptedTarget;
  let pair: TunnelPair;

  const open = (at: string, change: Partial<PairOptions> = {}): Promise<TunnelPair> =>
    openPair({
      ...options,
      authority: authority(),
      target: at,
      // A single end measures by connecting to the target: not while tests count connections.
      // And users wait for as long as the test does: on a busy machine 200 TLS handshakes take their time.
      limits: { reportIntervalMs: 60_000, poolGetTimeoutMs: 20_000, ...options.limits },
      ...change,
    });

  beforeAll(async () => {
    target = await startScriptedTarget();
    pair = await open(target.at);
  });

  beforeEach(() => {
    target.onTcp = echoTcp;
    target.onUdp = echoUdp;
    target.udpSources.clear();
  });

  afterEach(endUsers);

  afterAll(async () => {
    await pair?.close();
    await target?.close();
    await expectNoSockets();
  });

  /** Opens a user's connection and gives the target's end of it as well. */
  async function joined(): Promise<{ user: Socket; served: Socket }> {
    const taken = new Promise<Socket>((resolve) => {
      target.onTcp = resolve;
    });
    const user = await dial(pair.entry);
    return { user, served: await taken };
  }

  test("runs in the mode that was meant", () => {
    const { flow } = options;
    if (pair.server !== undefined) expect(pair.server.mode).toBe(flow === "reverse" ? 1 : 2);
    expect(pair.client.mode).toBe(flow === "single" ? 1 : 2);
    expect(pair.entryEnd.state).toBe("running");
  });

  test("carries 4 MB of random bytes both ways at once", async () => {
    const [sent, received] = await echoRandom(pair.entry, 4_000_000);
    expect(received).toBe(sent);
  });

  test("serves 64 connections at once", async () => {
    const results = await Promise.all(
      Array.from({ length: 64 }, () => echoRandom(pair.entry, 20_000)),
    );
    for (const [sent, received] of results) expect(received).toBe(sent);
  });

  test("passes on a user's FIN, then the target's answer", async () => {
    target.onTcp = (socket) => {
      const answer = (asked: Buffer) => {
        socket.end(Buffer.concat([Buffer.from(digest(asked)), randomBytes(100_000)]));
      };
      void readAll(socket).then(answer);
    };
    const question = randomBytes(100_000);
    const answer = await echo(pair.entry, question);
    expect(answer.length).toBe(64 + 100_000);
    expect(answer.toString("latin1", 0, 64)).toBe(digest(question));
  });

  test("passes on a target's FIN and still brings it what the user sends", async () => {
    const { user, served } = await joined();
    const received = readAll(served);
    served.end("done");
    expect(String(await readAll(user))).toBe("done");
    const late = randomBytes(50_000);
    user.end(late);
    expect(digest(await received)).toBe(digest(late));
  });

  test("passes on a FIN without a byte in either direction", async () => {
    const { user, served } = await joined();
    user.end();
    expect((await readAll(served)).length).toBe(0);
    served.end();
    expect((await readAll(user)).length).toBe(0);
  });

  test("passes on a user's reset as a reset", async () => {
    const { user, served } = await joined();
    user.write("x");
    await readExactly(served, 1);
    const end = endOf(served);
    user.resetAndDestroy();
    expect(await end).toBe("ECONNRESET");
  });

  test("passes on a target's reset as a reset", async () => {
    const { user, served } = await joined();
    user.write("x");
    await readExactly(served, 1);
    const end = endOf(user);
    served.resetAndDestroy();
    expect(await end).toBe("ECONNRESET");
  });

  test("passes on a reset that follows a FIN", async () => {
    const { user, served } = await joined();
    user.end("x");
    expect(String(await readAll(served))).toBe("x");
    const end = endOf(user);
    served.resetAndDestroy();
    expect(await end).toBe("ECONNRESET");
  });

  test("holds a fast sender back for a slow reader, and loses nothing", async () => {
    const block = randomBytes(1024 * 1024);
    const blocks = SLOW_READER_BYTES / block.length;
    const { user, served } = await joined();
    user.pause();
    let written = 0;
    const writing = (async () => {
      for (let count = 0; count < blocks; count++) {
        written++;
        if (!served.write(block)) await once(served, "drain");
      }
      served.end();
    })();
    // Until nothing moves any more, all of it is in buffers of the system and of the tunnel.
    for (let still = 0, before = -1; still < 10; await sleep(10)) {
      still = written === before ? still + 1 : 0;
      before = written;
    }
    expect(written).toBeLessThan(blocks * 0.75);
    let at = 0;
    let wrong = 0;
    user.on("data", (chunk: Buffer) => {
      for (let from = 0; from < chunk.length; ) {
        const offset = (at + from) % block.length;
        const take = Math.min(chunk.length - from, block.length - offset);
        if (chunk.compare(block, offset, offset + take, from, from + take) !== 0) wrong++;
        from += take;
      }
      at += chunk.length;
    });
    user.resume();
    await Promise.all([writing, once(user, "end")]);
    user.end();
    expect(at).toBe(SLOW_READER_BYTES);
    expect(wrong).toBe(0);
  });

  test("brings the banner of a server that speaks first", async () => {
    target.onTcp = (socket) => {
      socket.write("220 hello\r\n");
      socket.once("data", (line: Buffer) => socket.end(Buffer.concat([Buffer.from("re "), line])));
    };
    const user = await dial(pair.entry);
    expect(String(await readExactly(user, 11))).toBe("220 hello\r\n");
    user.end("helo");
    expect(String(await readAll(user))).toBe("re helo");
  });

  test("resets the user when the target is down", async () => {
    // A server with mode 0 would bind such a target itself.
    const down = await open(`127.0.0.1:${await closedPort()}`, { auto: false });
    const ends = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const user = await dial(down.entry);
        const end = endOf(user);
        user.write("anybody?");
        return end;
      }),
    );
    expect(new Set(ends)).toEqual(new Set(["ECONNRESET"]));
    await eventually(() => {
      expect(down.entryEnd.counters().tcps).toBe(0);
      expect(down.exitEnd.counters().tcps).toBe(0);
    });
    await down.close();
  });

  test("carries datagrams of every size whole, both ways", async () => {
    const peer = await openUdpPeer(pair.entry);
    const sent: Buffer[] = [];
    for (const size of UDP_SIZES) {
      const payload = randomBytes(size);
      sent.push(payload);
      peer.send(payload);
      await eventually(() => expect(peer.received.length).toBe(sent.length));
    }
    // Several in flight: edges and order are kept.
    for (const size of UDP_SIZES.filter((bytes) => bytes < 10_000)) {
      const payload = randomBytes(size);
      sent.push(payload);
      peer.send(payload);
    }
    await eventually(() => expect(peer.received.length).toBe(sent.length));
    expect(peer.received.map(digest)).toEqual(sent.map(digest));
    peer.close();
  });

  test("serves 200 UDP users, each in a session of its own", async () => {
    const peers = await Promise.all(Array.from({ length: 200 }, () => openUdpPeer(pair.entry)));
    for (const [index, peer] of peers.entries()) peer.send(Buffer.from(`user ${index}`));
    await eventually(() => {
      for (const [index, peer] of peers.entries())
        expect(peer.received.map(String)).toEqual([`user ${index}`]);
    });
    expect(target.udpSources.size).toBe(200);
    for (const peer of peers) peer.close();
  });

  test("keeps sessions alive whose datagrams all go one way, and ends them when idle", async () => {
    const brief = await open(target.at, { limits: { udpReadTimeoutMs: UDP_IDLE_MS } });
    const [sender, listener] = [await openUdpPeer(brief.entry), await openUdpPeer(brief.entry)];
    const arrived: string[] = [];
    let answer: ((payload: string) => void) | undefined;
    target.onUdp = (datagram: Buffer, from: RemoteInfo, socket: UdpSocket) => {
      if (String(datagram) !== "I listen") arrived.push(String(datagram));
      else answer = (payload) => socket.send(payload, from.port, from.address);
    };
    listener.send(Buffer.from("I listen"));
    await eventually(() => expect(answer).toBeDefined());
    const sent: string[] = [];
    for (const startedAt = performance.now(); performance.now() - startedAt < 2 * UDP_IDLE_MS; ) {
      const payload = `datagram ${sent.length}`;
      sent.push(payload);
      sender.send(Buffer.from(payload));
      answer?.(payload);
      await sleep(20);
    }
    await eventually(() => {
      expect(arrived).toEqual(sent);
      expect(listener.received.map(String)).toEqual(sent);
    });
    expect(target.udpSources.size).toBe(2);
    await eventually(() => {
      expect(brief.entryEnd.counters().udps).toBe(0);
      expect(brief.exitEnd.counters().udps).toBe(0);
    });
    await brief.close();
  });

  test("counts every byte once, at both ends", async () => {
    const counted = await open(target.at, {
      limits: { udpReadTimeoutMs: UDP_IDLE_MS, reportIntervalMs: 60_000 },
    });
    target.onTcp = (socket) => {
      const answer = () => socket.end(Buffer.alloc(3000)).resume();
      void readExactly(socket, 1000).then(answer);
    };
    target.onUdp = (_datagram, from, socket) => socket.send(Buffer.alloc(50), from.port);
    const user = await dial(counted.entry);
    user.end(Buffer.alloc(1000));
    expect((await readAll(user)).length).toBe(3000);
    const peer = await openUdpPeer(counted.entry);
    for (let count = 1; count <= 3; count++) {
      peer.send(Buffer.alloc(100));
      await eventually(() => expect(peer.received.length).toBe(count));
    }
    peer.close();
    await eventually(() => {
      expect(counted.entryEnd.counters()).toMatchObject({ tcps: 0, udps: 0 });
      expect(counted.exitEnd.counters()).toMatchObject({ tcps: 0, udps: 0 });
    });
    const seenByEntry = { tcprx: 1000, tcptx: 3000, udprx: 300, udptx: 150, udpDropped: 0 };
    expect(counted.entryEnd.counters()).toMatchObject(seenByEntry);
    if (counted.exitEnd !== counted.entryEnd) {
      const seenByExit = { tcprx: 3000, tcptx: 1000, udprx: 150, udptx: 300, udpDropped: 0 };
      expect(counted.exitEnd.counters()).toMatchObject(seenByExit);
    }
    await counted.close();
  });

  test("has no connection left and nothing to complain of", async () => {
    await eventually(() => {
      expect(pair.entryEnd.counters().tcps).toBe(0);
      expect(pair.exitEnd.counters().tcps).toBe(0);
    });
    expect(pair.logs.filter(({ level }) => level === "error")).toEqual([]);
    expect(pair.entryEnd.state).toBe("running");
  });
}
