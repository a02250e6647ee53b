import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { parseTunnelUrl } from "@nodepass/url-config";
import { afterEach, describe, expect, test } from "vitest";
import type { NameCache } from "../src/names/name-cache.ts";
import { SHARED } from "../src/stream/byte-stream.ts";
import { RelayBuffers } from "../src/stream/relay-buffers.ts";
import { dialTcp, type TcpStream } from "../src/stream/tcp-stream.ts";
import type { TunnelContext } from "../src/tunnel-context.ts";
import { createContext } from "../src/tunnels/create-context.ts";
import { FrameScratch } from "../src/udp/datagram-sender.ts";
import { UdpRelay } from "../src/udp/udp-relay.ts";
import { answerUser } from "../src/udp/udp-socket.ts";
import { UdpTargets } from "../src/udp/udp-target.ts";
import type { UdpTargetLink } from "../src/udp/udp-target-link.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { closedPort, startScriptedTarget } from "./support/scripted-target.ts";
import { eventually, openEnd, openPair, tunnelPort } from "./support/tunnel-pair.ts";

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);

const ends: { destroy(): void }[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) end.destroy();
  await expectNoSockets();
});

async function openUdp(type: "udp4" | "udp6", host: string): Promise<UdpSocket> {
  const socket = createSocket(type);
  socket.bind(0, host);
  await once(socket, "listening");
  ends.push({ destroy: () => socket.close() });
  return socket;
}

function contextOf(url: string): TunnelContext {
  return createContext(
    parseTunnelUrl(url) as never,
    {},
    { emitLog: () => {}, hasLogListener: () => false, connectionListener: () => undefined },
  );
}

/** A session without a pool connection yet, and a stream for it. */
async function relayed() {
  const listener = await startScriptedTarget();
  ends.push({ destroy: () => void listener.close() });
  let stream: TcpStream | undefined;
  const context = contextOf("client://127.0.0.1:1/127.0.0.1:2?mode=2");
  await new Promise<void>((resolve) => {
    const at = { address: listener.host, port: listener.port };
    stream = dialTcp(at, new RelayBuffers(), { onConnect: resolve });
  });
  if (stream === undefined) throw new Error("not dialled");
  const delivered: Buffer[] = [];
  let closed = false;
  const relay = new UdpRelay({
    context,
    scratch: new FrameScratch(),
    deliver: (datagram) => delivered.push(datagram) > 0,
    onClosed: () => {
      closed = true;
    },
  });
  ends.push({ destroy: () => relay.close() }, stream);
  return { relay, stream, delivered, closed: () => closed };
}

// Needs ::1, which containers often lack.
describe.skipIf(!hasIpv6)(
  "datagrams longer than IPv4 and a frame take (skipped without ::1)",
  () => {
    const TOO_LONG = Buffer.alloc(65_527, 1);

    test.each(["user", "target"])(
      "from the %s are dropped and counted, nothing else",
      async (from) => {
        const target = await startScriptedTarget("::1");
        target.onUdp = (datagram, { port, address }, socket) => {
          const long = from === "target" && datagram.length === 4;
          socket.send(long ? TOO_LONG : datagram, port, address);
        };
        const server = await openEnd("server://secret@127.0.0.1:0/[::1]:0?mode=1");
        const client = await openEnd(
          `client://secret@127.0.0.1:${tunnelPort(server)}/${target.at}?mode=2&min=2`,
        );
        ends.push(server, client, { destroy: () => void target.close() });
        await client.ready();
        const user = await openUdp("udp6", "::1");
        const port = server.entryAddress?.port ?? 0;
        user.send(from === "user" ? TOO_LONG : Buffer.from("long"), port, "::1");
        await eventually(() => {
          expect(client.counters().udpDropped + server.counters().udpDropped).toBe(1);
        });
        const answer = once(user, "message");
        user.send("after", port, "::1");
        expect(String((await answer)[0])).toBe("after");
      },
    );
  },
);

test("answers nobody at port 0, which a stranger can write into a datagram", async () => {
  const socket = await openUdp("udp4", "127.0.0.1");
  expect(answerUser(socket, Buffer.from("x"), 0, "127.0.0.1")).toBe(false);
  expect(answerUser(socket, Buffer.from("x"), socket.address().port, "127.0.0.1")).toBe(true);
});

/** A link that can be sent to. */
function openLink(targets: UdpTargets): Promise<UdpTargetLink> {
  return new Promise((resolve, reject) => {
    const link = targets.open({
      onOpen: () => resolve(link),
      onFailed: reject,
      onDatagram: () => {},
    });
  });
}

test("tries the next address of a target's name when the first has no route", async () => {
  const target = await openUdp("udp4", "127.0.0.1");
  const { port } = target.address();
  // A documentation address bound to a loopback source: refused by the system in any network.
  const resolve: NameCache["resolve"] = () => [
    { address: "192.0.2.1", family: 4 },
    { address: "127.0.0.1", family: 4 },
  ];
  const context = contextOf(`client://127.0.0.1:1/target.example:${port}?mode=1&dial=127.0.0.1`);
  const targets = new UdpTargets({
    ...context,
    names: { resolve, failed: () => {} } as unknown as NameCache,
  });
  const socket = await openLink(targets);
  ends.push({ destroy: () => socket.close() });
  expect(socket.remoteAddress()).toMatchObject({ address: "127.0.0.1", port });
});

test("takes the IPv4 address of a target's name first, as 1.14 does", async () => {
  const target = await openUdp("udp4", "127.0.0.1");
  const { port } = target.address();
  const resolve: NameCache["resolve"] = () => [
    { address: "::1", family: 6 },
    { address: "127.0.0.1", family: 4 },
  ];
  const context = contextOf(`client://127.0.0.1:1/target.example:${port}?mode=1`);
  const targets = new UdpTargets({
    ...context,
    names: { resolve, failed: () => {} } as unknown as NameCache,
  });
  const socket = await openLink(targets);
  ends.push({ destroy: () => socket.close() });
  expect(socket.remoteAddress()).toMatchObject({ address: "127.0.0.1", port });
});

test.each(["single", "reverse"] as const)(
  "flow %s: a target that refuses datagrams is skipped for the next one",
  async (flow) => {
    const target = await startScriptedTarget();
    const pair = await openPair({ flow, target: `127.0.0.1:${await closedPort()},${target.at}` });
    ends.push(pair.client, pair.exitEnd, pair.entryEnd, { destroy: () => void target.close() });
    const ask = async (tries: number): Promise<number> => {
      const user = await openUdp("udp4", "127.0.0.1");
      let answered = false;
      user.on("message", () => {
        answered = true;
      });
      let sent = 0;
      await eventually(() => {
        if (sent < tries && !answered) {
          sent++;
          user.send("x", pair.entry.port, pair.entry.host);
        }
        expect(answered).toBe(true);
      });
      return sent;
    };
    // Both targets would have been the first of one of these: what was refused goes to the other.
    for (let user = 0; user < 4; user++) expect(await ask(1)).toBe(1);
    expect(pair.exitEnd.targets().filter(({ resting }) => resting)).toMatchObject([
      { protocol: "udp", failures: 1 },
    ]);
  },
);

test("ends a session whose pool connection closed while its target was opened", async () => {
  const { relay, stream, closed } = await relayed();
  const gone = once(stream.socket, "close");
  stream.destroy();
  await gone;
  relay.attach(stream, true, { bytes: undefined, ended: false });
  expect(closed()).toBe(true);
});

test("keeps a datagram that came in pieces after the next one has come", async () => {
  const { relay, stream, delivered } = await relayed();
  relay.attach(stream, true, undefined);
  for (const piece of ["\0\x05fi", "rst\0\x06se", "cond"]) {
    relay.onBytes(Buffer.from(piece, "latin1"), piece.length, SHARED);
  }
  expect(delivered.map(String)).toEqual(["first", "second"]);
});
