import { connect } from "node:net";
import type { LogRecord, Tunnel } from "@nodepass/tunnel-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { HELLO_BYTES } from "../../src/wire/pool-hello.ts";
import { newNonce } from "../../src/wire/proof.ts";
import { openingHeaders } from "../../src/wire/proof-headers.ts";
import { expectNoSockets } from "../support/no-leaks.ts";
import { type ScriptedTarget, startScriptedTarget } from "../support/scripted-target.ts";
import {
  clientUrl,
  entryOf,
  eventually,
  openEnd,
  openServer,
  type PairOptions,
  tunnelPort,
} from "../support/tunnel-pair.ts";
import { echo, endOf, endUsers } from "../support/users.ts";
import { expectLogged, expectSilentAbout, logged } from "./support/log-search.ts";
import { openPath, type Path } from "./support/path.ts";
import { proofKeys, provedRequest, RawHandshake, requestText } from "./support/raw-handshake.ts";

const KEY = "correct-horse-battery";
const WRONG_KEY = "wrong-horse-battery";

let target: ScriptedTarget;
let server: Tunnel;
let client: Tunnel;
let path: Path;
const serverLogs: LogRecord[] = [];
const clientLogs: LogRecord[] = [];

beforeAll(async () => {
  target = await startScriptedTarget();
  const options: PairOptions = { flow: "reverse", target: target.at, key: KEY, query: "log=debug" };
  server = await openServer(options, serverLogs);
  path = await openPath({ to: tunnelPort(server) });
  client = await openEnd(clientUrl(options, path.port), clientLogs);
  await client.ready();
  await eventually(() => expect(server.counters().pool).toBeGreaterThan(0));
});

afterEach(endUsers);

afterAll(async () => {
  await client.close({ timeoutMs: 0 });
  await server.close({ timeoutMs: 0 });
  await path.close();
  await target.close();
  await expectNoSockets();
});

/** The tunnel has lost nothing by what a test did to it. */
async function expectServed(): Promise<void> {
  expect(String(await echo(entryOf(server), Buffer.from("still here")))).toBe("still here");
  expect(logged(clientLogs, "session ended")).toBe(false);
}

describe("a recording", () => {
  test("of the handshake is refused, whole and each request of it", async () => {
    const recorded = path.connections[0]?.sent.toString("latin1") ?? "";
    const [first = "", second = ""] = recorded.split(/(?<=\r\n\r\n)/);
    expect(second).toContain("Authorization: NodePass-Proof ");
    const whole = await RawHandshake.connect(tunnelPort(server));
    expect((await whole.send(first))?.status).toBe(401);
    const refused = await whole.send(second);
    expect(refused?.status).toBe(401);
    expect(refused?.head).not.toMatch(/www-authenticate|nodepass-proof/i);
    await expectLogged(serverLogs, "handshake refused: wrong proof");
    const alone = await RawHandshake.connect(tunnelPort(server));
    expect((await alone.send(second))?.status).toBe(401);
    await expectLogged(serverLogs, "the proof answers no challenge of this connection");
    await expectServed();
  });

  test("of each pool hello, the control connection's too, is refused", async () => {
    const hellos = path.connections.slice(1).map(({ sent }) => sent.subarray(0, HELLO_BYTES));
    expect(hellos.length).toBeGreaterThan(4);
    const before = server.counters().pool;
    for (const hello of hellos) {
      const socket = connect(tunnelPort(server), "127.0.0.1");
      const ended = endOf(socket);
      socket.write(hello);
      await ended;
      expect(socket.bytesRead).toBe(0);
    }
    await expectLogged(serverLogs, "pool connection refused: its hello was used before");
    expect(server.counters().pool).toBe(before);
    await expectServed();
  });
});

describe("a handshake", () => {
  test("with a wrong key is refused, said on both ends, and nobody's key is in a log", async () => {
    const logs: LogRecord[] = [];
    const options = { flow: "reverse" as const, target: target.at, key: WRONG_KEY };
    const stranger = await openEnd(clientUrl(options, tunnelPort(server)), logs);
    await expectLogged(logs, /refused the handshake: 401 .*is the key the same on both ends/);
    expect(stranger.state).toBe("error");
    await expectLogged(serverLogs, "wrong proof (is the key the same on both ends?)");
    await stranger.close({ timeoutMs: 0 });
    expectSilentAbout([...logs, ...serverLogs, ...clientLogs], [KEY, WRONG_KEY]);
    await expectServed();
  });

  test("with a nonce of another connection is refused", async () => {
    const keys = await proofKeys(KEY);
    const one = await RawHandshake.connect(tunnelPort(server));
    const other = await RawHandshake.connect(tunnelPort(server));
    const serverNonce = await one.challenge();
    await other.challenge();
    const { clientNonce } = one;
    // As the other connection's client, and under its nonce with the first one's challenge.
    expect((await other.send(provedRequest(keys, { clientNonce, serverNonce })))?.status).toBe(401);
    const again = await RawHandshake.connect(tunnelPort(server));
    await again.challenge();
    const mixed = { clientNonce: again.clientNonce, serverNonce };
    expect((await again.send(provedRequest(keys, mixed)))?.status).toBe(401);
    one.destroy();
  });

  test("with a nonce that was used before on its connection is refused", async () => {
    // Nobody has this server's tunnel: nothing but the nonce is in the way.
    const logs: LogRecord[] = [];
    const free = await openServer({ flow: "reverse", target: target.at, key: KEY }, logs);
    const keys = await proofKeys(KEY);
    const raw = await RawHandshake.connect(tunnelPort(free));
    const nonces = { clientNonce: raw.clientNonce, serverNonce: await raw.challenge() };
    const right = provedRequest(keys, nonces);
    const wrong = provedRequest(await proofKeys(WRONG_KEY), nonces);
    // Both in one write: the second is there before the first is answered.
    expect((await raw.send(wrong + right))?.status).toBe(401);
    expect((await raw.next())?.status ?? "closed").not.toBe(200);
    await raw.closed();
    const again = await RawHandshake.connect(tunnelPort(free));
    const fresh = { clientNonce: again.clientNonce, serverNonce: await again.challenge() };
    expect(logged(logs, "client accepted by proof")).toBe(false);
    // Right ones, twice: the first has the tunnel, the second is not even looked at.
    const proved = provedRequest(keys, fresh);
    expect((await again.send(proved + proved))?.status).toBe(200);
    await again.closed();
    const accepted = logs.filter(({ message }) => message === "client accepted by proof");
    expect(accepted.length).toBe(1);
    await free.close({ timeoutMs: 0 });
  });

  test("whose challenge is older than the handshake's time limit is refused", async () => {
    const options = { flow: "reverse" as const, target: target.at, key: KEY };
    const brief = await openServer({ ...options, limits: { handshakeTimeoutMs: 50 } });
    const raw = await RawHandshake.connect(tunnelPort(brief));
    await raw.challenge();
    await raw.closed();
    await brief.close({ timeoutMs: 0 });
  });

  test("with one bit changed in any character that the proof covers is refused", async () => {
    const keys = await proofKeys(KEY);
    const probe = provedRequest(keys, {
      clientNonce: Buffer.alloc(32),
      serverNonce: Buffer.alloc(32),
    });
    const covered = coveredPositions(probe);
    expect(covered.length).toBeGreaterThan(140);
    for (const at of covered) {
      const raw = await RawHandshake.connect(tunnelPort(server));
      const nonces = { clientNonce: raw.clientNonce, serverNonce: await raw.challenge() };
      const response = await raw.send(flipped(Buffer.from(provedRequest(keys, nonces)), at));
      expect(response?.status ?? "closed", `position ${at}`).not.toBe(200);
      raw.destroy();
    }
    await expectServed();
  }, 60_000);
});

describe("an answer", () => {
  test("is not given to whoever asks without a proof", async () => {
    for (const headers of [{}, { Authorization: "Bearer " }, { Authorization: "Basic eDp5" }]) {
      const raw = await RawHandshake.connect(tunnelPort(server));
      const response = await raw.send(requestText(headers));
      expect(response?.status).toBe(401);
      expect(response?.body).not.toMatch(/flow|max|tls/);
    }
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const out = Buffer.from(bytes);
  out[at] = (out[at] ?? 0) ^ (1 << (at % 7));
  return out;
}

/** Positions of the method, the path and the values of all headers. */
function coveredPositions(request: string): number[] {
  const out = [0, 1, 2, 4];
  for (const match of request.matchAll(/: ([^\r]+)\r\n/g)) {
    const [, value = ""] = match;
    for (let at = 0; at < value.length; at++) out.push(match.index + 2 + at);
  }
  return out;
}

describe("the head of a request", () => {
  test("may come in any two parts, or byte by byte", async () => {
    const text = requestText(openingHeaders(newNonce()));
    for (let cut = 1; cut < text.length; cut++) {
      const raw = await RawHandshake.connect(tunnelPort(server));
      raw.socket.setNoDelay(true);
      raw.socket.write(text.slice(0, cut));
      await new Promise(setImmediate);
      expect((await raw.send(text.slice(cut)))?.status, `cut at ${cut}`).toBe(401);
      raw.destroy();
    }
    const raw = await RawHandshake.connect(tunnelPort(server));
    raw.socket.setNoDelay(true);
    for (const byte of text.slice(0, -1)) {
      raw.socket.write(byte);
      await new Promise(setImmediate);
    }
    const answer = await raw.send(text.slice(-1));
    expect(answer?.head).toMatch(/^www-authenticate: /im);
    raw.destroy();
  });

  test("may have 8 KiB and no more, in one piece or many", async () => {
    const head = (bytes: number): string => {
      const bare = requestText({ ...openingHeaders(newNonce()), Padding: "" });
      return bare.replace("Padding: ", `Padding: ${"a".repeat(bytes - bare.length)}`);
    };
    const fits = await RawHandshake.connect(tunnelPort(server));
    expect((await fits.send(head(8000)))?.status).toBe(401);
    fits.destroy();
    for (const piece of [20_000, 1000]) {
      serverLogs.length = 0;
      const endless = head(20_000);
      const raw = await RawHandshake.connect(tunnelPort(server));
      for (let at = 0; at < endless.length; at += piece) {
        raw.socket.write(endless.slice(at, at + piece));
        await new Promise(setImmediate);
      }
      expect(await raw.next()).toBeUndefined();
    }
    await expectServed();
  });
});
