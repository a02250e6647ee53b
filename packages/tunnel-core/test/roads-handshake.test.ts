import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { LogRecord, Tunnel } from "@nodepass/tunnel-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newNonce } from "../src/wire/proof.ts";
import {
  formatOpeningRequest,
  newWebSocketKey,
  webSocketAccept,
} from "../src/wire/websocket-opening.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { startScriptedTarget } from "./support/scripted-target.ts";
import { entryOf, eventually, openEnd, tunnelPort } from "./support/tunnel-pair.ts";
import { echoRandom, endUsers } from "./support/users.ts";
import { proofKeys, provedRequest, RawHandshake } from "./trust/support/raw-handshake.ts";

const KEY = "secret";
let server: Tunnel;
let logs: LogRecord[];
const raws: RawHandshake[] = [];
const sockets: Socket[] = [];

async function open(query: string): Promise<void> {
  logs = [];
  server = await openEnd(`server://${KEY}@127.0.0.1:0/127.0.0.1:0?mode=1&${query}`, logs);
}

async function raw(): Promise<RawHandshake> {
  const handshake = await RawHandshake.connect(tunnelPort(server));
  raws.push(handshake);
  return handshake;
}

/** Sends bytes, and reads until the connection ends or `until` is in what came. */
async function say(
  bytes: Buffer | string,
  until?: string,
): Promise<{ socket: Socket; text: string }> {
  const socket = connect(tunnelPort(server), "127.0.0.1");
  sockets.push(socket);
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => {
    // A reset is an end, too.
  });
  await once(socket, "connect");
  socket.write(bytes);
  await eventually(() => {
    if (!(socket.closed || (until !== undefined && text.includes(until)))) throw new Error(text);
  });
  return { socket, text };
}

afterEach(async () => {
  for (const handshake of raws.splice(0)) handshake.destroy();
  for (const socket of sockets.splice(0)) socket.destroy();
  endUsers();
  await server?.close({ timeoutMs: 0 });
  await expectNoSockets();
});

describe("behind a reverse proxy (type=2)", () => {
  beforeEach(() => open("type=2"));

  test("the two requests may come on two connections, once", async () => {
    const [first, second, third] = [await raw(), await raw(), await raw()];
    const serverNonce = await first.challenge();
    const { clientNonce } = first;
    const request = provedRequest(await proofKeys(KEY), { clientNonce, serverNonce });
    expect((await second.send(request))?.status).toBe(200);
    expect((await third.send(request))?.status).toBe(401);
  });

  test("an opening that is sent again takes nobody's challenge away", async () => {
    const [first, other] = [await raw(), await raw()];
    const serverNonce = await first.challenge();
    Object.assign(other, { clientNonce: first.clientNonce });
    expect(await other.challenge()).toEqual(serverNonce);
    const request = provedRequest(await proofKeys(KEY), {
      clientNonce: first.clientNonce,
      serverNonce,
    });
    expect((await first.send(request))?.status).toBe(200);
  });

  test("Host may be rewritten, what the client asked for may not", async () => {
    const keys = await proofKeys(KEY);
    const make = async (change: (request: string) => string) => {
      const handshake = await raw();
      const serverNonce = await handshake.challenge();
      const { clientNonce } = handshake;
      const asked = { host: "tunnel.example.org", path: "/" };
      const request = provedRequest(keys, { clientNonce, serverNonce }, { ...asked, asked });
      return (await handshake.send(change(request)))?.status;
    };
    const rewritten = (request: string) => request.replace("Host: none", "Host: 10.0.0.1:8080");
    expect(await make(rewritten)).toBe(200);
    expect(
      await make((request) => rewritten(request).replace("Asked: tunnel.", "Asked: other.")),
    ).toBe(401);
    expect(
      await make((request) => rewritten(request).replace("example.org/", "example.org/x")),
    ).toBe(401);
    expect(await make((request) => request.replace(/NodePass-Asked: .*\r\n/, ""))).toBe(401);
    expect(await make((request) => request.replace(/Asked: .*\r\n/, "Asked: no path\r\n"))).toBe(
      400,
    );
  });

  test("an answer through HTTP/1.0 ends by itself", async () => {
    const nonce = newNonce().toString("base64url");
    const { text } = await say(
      `GET / HTTP/1.0\r\nHost: x\r\nNodePass-Version: 1\r\nNodePass-Nonce: ${nonce}\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 401 /);
    expect(text).toMatch(/\r\nContent-Length: 13\r\n/);
    expect(text).toMatch(/\r\nConnection: close\r\n/);
  });

  test("a WebSocket that is none of the client's is dropped, whatever it says", async () => {
    const key = newWebSocketKey();
    const request = formatOpeningRequest("/", "x", key);
    const hello = "8285000000004e01000000";
    for (const [frames, answer] of [
      // A text message, an unmasked one, a reserved bit, a hello of nobody.
      ["818000000000", "\x88\x02\x03\xeb"],
      ["820401020304", "\x88\x02\x03\xea"],
      ["c28000000000", "\x88\x02\x03\xea"],
      [`829e00000000${"4e01".padEnd(60, "0")}`, ""],
      ["8884000000000000000000", ""],
      [`${hello}880000`, ""],
    ] as const) {
      const { text } = await say(
        Buffer.concat([Buffer.from(request, "latin1"), Buffer.from(frames, "hex")]),
      );
      expect(text).toContain(`Sec-WebSocket-Accept: ${webSocketAccept(key)}\r\n`);
      expect(text.split("\r\n\r\n")[1]).toContain(answer);
    }
    expect(server.counters().pool).toBe(0);
    expect(server.state).toBe("running");
  });

  test("a bad request for a WebSocket is refused in words", async () => {
    const good = formatOpeningRequest("/", "x", newWebSocketKey());
    for (const [request, status] of [
      [good.replace("GET / ", "GET /other "), 404],
      [good.replace("GET", "POST"), 405],
      [good.replace("Version: 13", "Version: 8"), 426],
      [good.replace(/Key: .*\r\n/, "Key: x\r\n"), 400],
    ] as const) {
      expect((await say(request)).text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    }
  });
});

test("with a pool of TCP the second request has to come on the same connection", async () => {
  await open("type=0");
  const [first, second] = [await raw(), await raw()];
  const serverNonce = await first.challenge();
  const request = provedRequest(await proofKeys(KEY), {
    clientNonce: first.clientNonce,
    serverNonce,
  });
  expect((await second.send(request))?.status).toBe(401);
});

test("another path is not found, by the handshake and by the client", async () => {
  await open("type=2&path=/tunnel");
  const { text } = await say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(text).toMatch(/^HTTP\/1\.1 404 /);
  const at = `127.0.0.1:${tunnelPort(server)}`;
  const client = await openEnd(`client://${KEY}@${at}/127.0.0.1:1?mode=2&compat=0`, logs);
  await eventually(() => expect(client.reason).toMatch(/404/));
  await client.close({ timeoutMs: 0 });
});

test("a WebSocket without TLS is refused where the server has it", async () => {
  await open("type=2&tls=1");
  const { text } = await say(formatOpeningRequest("/", "x", newWebSocketKey()));
  expect(text).toMatch(/^HTTP\/1\.1 400 /);
});

test("TLS that ends in front of no server at all is a failure that says so", async () => {
  await open("type=2");
  const at = `127.0.0.1:${tunnelPort(server)}`;
  const client = await openEnd(`client://${KEY}@${at}/127.0.0.1:1?mode=2&front=2`, logs);
  await eventually(() => expect(client.reason).toMatch(/handshake failed/));
  await client.close({ timeoutMs: 0 });
});

test("QUIC where its package is not installed says what to install", async () => {
  const url = `server://${KEY}@127.0.0.1:0/127.0.0.1:0?mode=1&type=1`;
  await expect(openEnd(url)).rejects.toMatchObject({
    code: "UNSUPPORTED_POOL_TYPE",
    message: expect.stringContaining("npm install @nodepass/carrier-quic"),
  });
  await expect(
    openEnd(url, [], { carriers: { 1: new URL("./no-such-module.js", import.meta.url).href } }),
  ).rejects.toMatchObject({ code: "UNSUPPORTED_POOL_TYPE" });
  server = await openEnd(`server://${KEY}@127.0.0.1:0/127.0.0.1:0?mode=1`);
});

describe("a forwarder with a proxy on the way out", () => {
  test("says that UDP is not carried, and why a target was not reached", async () => {
    logs = [];
    server = await openEnd(
      "client://127.0.0.1:0/127.0.0.1:9?mode=0&via=socks5://127.0.0.1:1",
      logs,
    );
    expect(logs.map(({ message }) => message)).toContain(
      "via: no proxy reaches UDP targets, so UDP is not forwarded (noudp=1)",
    );
    await echoRandom(entryOf(server), 10).catch(() => undefined);
    await eventually(() => {
      expect(logs.map(({ fields }) => JSON.stringify(fields)).join("\n")).toMatch(
        /proxy 127\.0\.0\.1:1/,
      );
    });
  });

  test("goes as the environment says, and not by what NO_PROXY names", async () => {
    const target = await startScriptedTarget();
    const proxyEnvironment = { ALL_PROXY: "http://127.0.0.1:1", NO_PROXY: "127.0.0.0/8" };
    server = await openEnd(`client://127.0.0.1:0/${target.at}?mode=1&noudp=1&via=env`, [], {
      proxyEnvironment,
    });
    const [sent, received] = await echoRandom(entryOf(server), 1000);
    expect(received).toBe(sent);
    await target.close();
  });
});
