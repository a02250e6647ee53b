import type { RemoteInfo, Socket as UdpSocket } from "node:dgram";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { expectNoSockets } from "../support/no-leaks.ts";
import { echoUdp, type ScriptedTarget, startScriptedTarget } from "../support/scripted-target.ts";
import { eventually, openPair } from "../support/tunnel-pair.ts";
import { endUsers, openUdpPeer, type UdpPeer } from "../support/users.ts";
import { EndProcess } from "./support/end-process.ts";

const KEY = "correct-horse-battery";
const PEERS = 5000;
/** Descriptors that an end needs for them: a pool connection and a socket to the target each. */
const DESCRIPTORS = 2 * PEERS + 500;
const BURST = 10_000;
const UNDER_WAY = 200;

let target: ScriptedTarget;
let ends: EndProcess[] = [];

beforeAll(async () => {
  target = await startScriptedTarget();
});

afterEach(async () => {
  endUsers();
  target.onUdp = echoUdp;
  for (const end of ends) await end.kill();
  ends = [];
});

afterAll(async () => {
  await target.close();
  await expectNoSockets();
});

// The descriptors that a Linux process may have are set by prlimit.
test.skipIf(process.platform !== "linux")(
  `${PEERS} UDP users are all answered, each once, and nothing of them is left when they are idle`,
  async () => {
    const limits = { udpReadTimeoutMs: 5000, poolGetTimeoutMs: 30_000 };
    const wrapper = ["prlimit", `--nofile=${DESCRIPTORS}`];
    const server = await EndProcess.open(`server://${KEY}@127.0.0.1:0/127.0.0.1:0?mode=1`, limits, {
      wrapper,
    });
    ends.push(server);
    const client = await EndProcess.open(
      `client://${KEY}@127.0.0.1:${server.tunnelPort}/${target.at}?mode=2`,
      limits,
      { wrapper },
    );
    ends.push(client);
    await eventually(async () => expect((await server.stats()).counters?.pool).toBeGreaterThan(0));
    const before = await client.stats();
    const entry = { host: "127.0.0.1", port: server.entryPort };
    const peers: UdpPeer[] = [];
    let most = 0;
    while (peers.length < PEERS) {
      const some = await Promise.all(Array.from({ length: UNDER_WAY }, () => openUdpPeer(entry)));
      for (const [at, peer] of some.entries()) peer.send(Buffer.from(`${peers.length + at}`));
      await eventually(() => {
        expect(some.filter(({ received }) => received.length === 0).length).toBe(0);
      });
      peers.push(...some);
      most = Math.max(most, (await server.stats(false)).counters?.udps ?? 0);
    }
    const answers = peers.map(({ received }) => received.map(String).join());
    expect(answers).toEqual(peers.map((_, at) => `${at}`));
    process.stdout.write(`udp crowd: ${PEERS} users answered, ${most} sessions at once\n`);
    for (const end of [server, client]) {
      await eventually(async () => {
        const { counters, handles } = await end.stats();
        expect(counters).toMatchObject({ udps: 0, udpDropped: 0 });
        // The pool stays.
        expect(handles.TCPSocketWrap ?? 0).toBeLessThan(2100);
        expect(handles.UDPWrap ?? 0).toBeLessThanOrEqual((before.handles.UDPWrap ?? 0) + 1);
      });
      expect(end.output).toBe("");
    }
    // Who comes now is served as the first one was.
    const late = await openUdpPeer(entry);
    late.send(Buffer.from("late"));
    await eventually(() => expect(late.received.map(String)).toEqual(["late"]));
  },
);

test(`${BURST} datagrams of 100 bytes arrive as they are and in order, both ways`, async () => {
  const pair = await openPair({ flow: "reverse", target: target.at });
  const arrived: string[] = [];
  target.onUdp = (datagram: Buffer, from: RemoteInfo, socket: UdpSocket) => {
    arrived.push(String(datagram));
    echoUdp(datagram, from, socket);
  };
  const peer = await openUdpPeer(pair.entry);
  const due: string[] = [];
  while (due.length < BURST) {
    // What the system's buffers for sockets hold: what they drop is not the tunnel's loss.
    for (let count = 0; count < UNDER_WAY; count++) {
      due.push(`${due.length}`.padEnd(100, "x"));
      peer.send(Buffer.from(due.at(-1) ?? ""));
    }
    await eventually(() => expect(peer.received.length).toBe(due.length));
  }
  expect(arrived).toEqual(due);
  expect(peer.received.map(String)).toEqual(due);
  expect(pair.entryEnd.counters().udpDropped + pair.exitEnd.counters().udpDropped).toBe(0);
  await pair.close();
});
