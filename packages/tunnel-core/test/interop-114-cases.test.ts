import { once } from "node:events";
import { connect } from "node:net";
import { openTunnel } from "@nodepass/tunnel-core";
import { afterEach, describe, expect, test } from "vitest";
import {
  answerOnce,
  exchangeTcp,
  openUdpUser,
  Peer114Server,
  replayClient,
  replayServer,
  replayUsers,
  startTarget,
} from "./peer-114/index.ts";
import {
  boundEntry,
  boundTunnel,
  eventually,
  type InteropOptions,
  type InteropPair,
  LIMITS,
  startPair,
} from "./support/interop-pair.ts";

const opened: Array<{ close(): Promise<void> }> = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
});

async function start(options: InteropOptions): Promise<InteropPair> {
  const pair = await startPair(options);
  opened.push(pair);
  return pair;
}

async function expectServed(pair: InteropPair, text = "hello"): Promise<void> {
  const answer = await exchangeTcp(pair.entry(), Buffer.from(text), text.length);
  expect(String(answer)).toBe(text);
  const user = await openUdpUser(pair.entry());
  expect(String(await user.exchange(Buffer.from(text)))).toBe(`re:${text}`);
  user.close();
}

const ENDS = (["server", "client"] as const).flatMap((ours) =>
  (["-", "+"] as const).map((flow) => ({ ours, flow })),
);

describe.each(ENDS)("our $ours, flow $flow", ({ ours, flow }) => {
  test("serves again after the peer cut the control connection", async () => {
    const pair = await start({ ours, flow, tls: 0 });
    await pair.ready();
    const user = connect(pair.entry().port, "127.0.0.1");
    user.on("error", () => undefined);
    user.write("x");
    await once(user, "data");
    const cut = once(user, "close");
    const again = once(pair.peer, "ready");
    pair.peer.killControl();
    // Any failure of the control connection closes everything.
    await Promise.all([cut, again]);
    await pair.ready();
    await expectServed(pair, "again");
    expect(pair.peer.violations).toEqual([]);
    expect(pair.peer.sessions).toBe(2);
  });

  test("empties its pool at a flush and serves on", async () => {
    const pair = await start({ ours, flow, tls: 0 });
    await pair.ready();
    await eventually(() => expect(pair.peer.idle).toBeGreaterThanOrEqual(8));
    pair.peer.sendFlush();
    expect(pair.peer.idle).toBe(0);
    await eventually(() => expect(pair.peer.idle).toBeGreaterThanOrEqual(8));
    for (let count = 0; count < 20; count++) await expectServed(pair, `after the flush ${count}`);
    expect(pair.peer.violations).toEqual([]);
    expect(pair.peer.sessions).toBe(1);
  });

  test("meets a peer whose key comes from the port, too", async () => {
    // A key made of the port's digits needs the port beforehand.
    const free = await startTarget();
    await free.close();
    const pair = await start({ ours, flow, tls: 0, key: undefined, tunnelPort: free.port });
    await pair.ready();
    await expectServed(pair);
    expect(pair.peer.violations).toEqual([]);
  });

  test("with compat=0 refuses the peer", async () => {
    const pair = await start({ ours, flow, tls: 0, query: "compat=0" });
    const { counters } = pair.peer;
    await eventually(() =>
      expect(ours === "client" ? counters.unauthorizedRequests : counters.refusals).toBeGreaterThan(
        1,
      ),
    );
    expect(pair.peer.sessions).toBe(0);
    expect(pair.peer.violations).toEqual([]);
    if (ours === "client") expect(pair.tunnel.state).not.toBe("running");
  });
});

test.each([
  { ours: "server", flow: "+" },
  { ours: "client", flow: "-" },
] as const)("our $ours as exit takes data that comes before its signal", async ({ ours, flow }) => {
  const timings = { ...LIMITS, signalDelayMs: 100 };
  const pair = await start({ ours, flow, tls: 0, server: { timings }, client: { timings } });
  await pair.ready();
  await expectServed(pair, "early");
  expect(pair.peer.violations).toEqual([]);
});

test("our client dials again soon while the 1.14 listener is closed", async () => {
  const timings = { ...LIMITS, listenerGapMs: 150 };
  const pair = await start({ ours: "client", flow: "-", tls: 0, server: { timings } });
  await pair.ready();
  await expectServed(pair);
  expect(pair.peer.counters).toMatchObject({ sessions: 1, sessionsLost: 0 });
});

test("our client keeps to the server's max", async () => {
  const pair = await start({ ours: "client", flow: "-", tls: 0, server: { max: 3 } });
  await pair.ready();
  for (let count = 0; count < 30; count++) await expectServed(pair, `request ${count}`);
  expect(pair.peer.counters.poolDropped).toBe(0);
  expect(pair.peer.violations).toEqual([]);
});

test("our client says that a 1.14 server with tls=2 never serves in reverse flow", async () => {
  const pair = await start({ ours: "client", flow: "-", tls: 2, trusted: true });
  const user = connect(pair.peer.entryAddress.port, "127.0.0.1");
  user.on("error", () => undefined);
  user.write("nobody hears this");
  await eventually(() => expect(pair.peer.counters.pings).toBeGreaterThan(4));
  expect(pair.target.connections()).toBe(0);
  expect(pair.peer.counters).toMatchObject({ sessions: 1, sessionsLost: 0, verifies: 0 });
  expect(pair.peer.violations).toEqual([]);
  const warnings = pair.logs.filter(({ level }) => level === "warn" || level === "error");
  expect(warnings.map(({ message }) => message).join("\n")).toMatch(/1\.14|tls|certificate/i);
  user.destroy();
});

test("our client does not join a tls=2 server whose certificate it can't trust", async () => {
  const pair = await start({ ours: "client", flow: "+", tls: 2 });
  await eventually(() => expect(pair.logs.some(({ level }) => level !== "debug")).toBe(true));
  await eventually(() => expect(pair.tunnel.state).toBe("error"));
  expect(pair.peer.sessions).toBe(0);
});

test("our client with a wrong key is refused and says why", async () => {
  const peer = await Peer114Server.start({
    flow: "-",
    key: "right",
    target: { host: "127.0.0.1", port: 0 },
  });
  opened.push(peer);
  const url = `client://wrong@127.0.0.1:${peer.tunnelPort}/127.0.0.1:9?mode=2`;
  const tunnel = await openTunnel(url, { limits: LIMITS });
  opened.push(tunnel);
  await eventually(() => expect(tunnel.state).toBe("error"));
  expect(tunnel.reason).toBeTruthy();
  expect(peer.sessions).toBe(0);
});

describe.each(["forward", "reverse", "ws-forward", "ws-reverse"] as const)(
  "the %s recording",
  (name) => {
    // Long enough that no further ping comes before the recorded ones have been played.
    const limits = { ...LIMITS, reportIntervalMs: 1000 };

    test("plays its server to our client", async () => {
      const target = await startTarget({ tcp: answerOnce });
      const played = await replayServer(name);
      const port = name.endsWith("forward") ? 0 : target.port;
      const url = `client://secret@127.0.0.1:${played.port}/127.0.0.1:${port}?mode=2&min=2`;
      const tunnel = await openTunnel(url, { limits });
      opened.push(target, played, tunnel);
      const result = await played.run({ user: replayUsers(() => boundEntry(tunnel)) });
      expect(result.mismatches).toEqual([]);
    });

    test("plays its client to our server", async () => {
      const target = await startTarget({ tcp: answerOnce });
      const mode = name.endsWith("forward") ? 2 : 1;
      const port = name.endsWith("forward") ? target.port : 0;
      const url = `server://secret@127.0.0.1:0/127.0.0.1:${port}?mode=${mode}&max=8&type=${name.startsWith("ws-") ? 2 : 0}`;
      const tunnel = await openTunnel(url, { limits });
      opened.push(target, tunnel);
      const result = await replayClient(name, {
        tunnel: await boundTunnel(tunnel),
        user: replayUsers(() => boundEntry(tunnel)),
        stopServer: () => tunnel.close({ timeoutMs: 0 }),
      });
      expect(result.mismatches).toEqual([]);
    });
  },
);
