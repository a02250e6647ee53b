import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { LogRecord } from "@nodepass/tunnel-core";
import { openTunnel } from "@nodepass/tunnel-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { expectNoSockets } from "../support/no-leaks.ts";
import { type ScriptedTarget, startScriptedTarget } from "../support/scripted-target.ts";
import { entryOf, eventually, openClient, openPair, tunnelPort } from "../support/tunnel-pair.ts";
import { echo, endUsers, openUdpPeer } from "../support/users.ts";
import { derivedSecrets } from "./support/derived-secrets.ts";
import { EndProcess } from "./support/end-process.ts";
import { expectLogged, expectSilentAbout, spellingsOf } from "./support/log-search.ts";
import { openPath } from "./support/path.ts";

const KEY = "k3y-that-nobody-may-see";

let target: ScriptedTarget;

beforeAll(async () => {
  target = await startScriptedTarget();
});

afterEach(endUsers);

afterAll(async () => {
  await target.close();
  await expectNoSockets();
});

describe.each([0, 1] as const)("tls %i, log=debug", (tls) => {
  test("neither key nor what is derived from it is in a log, through a tunnel's whole life", async () => {
    const options = { flow: "reverse" as const, target: target.at, key: KEY, tls };
    const pair = await openPair({ ...options, query: "log=debug" });
    await echo(pair.entry, Buffer.from("x"));
    const peer = await openUdpPeer(pair.entry);
    peer.send(Buffer.from("x"));
    await eventually(() => expect(peer.received.length).toBe(1));
    const logs: LogRecord[] = [];
    const server = pair.server;
    if (server === undefined) throw new Error("no server");
    // Somebody with another key, and somebody while the client is there.
    const wrong = await openClient({ ...options, key: "wrong-key" }, tunnelPort(server), logs);
    await expectLogged(logs, "refused the handshake");
    const second = await openClient(options, tunnelPort(server), logs);
    await expectLogged(logs, "409");
    await Promise.all([wrong.close({ timeoutMs: 0 }), second.close({ timeoutMs: 0 })]);
    await pair.close();
    const all = [...logs, ...pair.logs];
    expect(all.some(({ level }) => level === "debug")).toBe(true);
    expectSilentAbout(all, [KEY, "wrong-key", ...(await derivedSecrets(KEY))]);
  });
});

test("with tls=0 the key is not on the wire, in any spelling, nor what 1.14 derives from it", async () => {
  const server = await openTunnel(`server://${KEY}@127.0.0.1:0/127.0.0.1:0?mode=1`);
  const path = await openPath({ to: tunnelPort(server) });
  const url = `client://${KEY}@127.0.0.1:${path.port}/${target.at}?mode=2`;
  const client = await openTunnel(url);
  await client.ready();
  await echo(entryOf(server), Buffer.from("x"));
  await client.close({ timeoutMs: 0 });
  await server.close({ timeoutMs: 0 });
  const wire = path.connections.flatMap(({ sent, answered }) => [sent, answered]);
  expect(wire.length).toBeGreaterThan(4);
  const text = Buffer.concat(wire).toString("latin1");
  for (const secret of [KEY, ...(await derivedSecrets(KEY))]) {
    for (const spelling of spellingsOf(secret)) expect(text).not.toContain(spelling);
  }
  await path.close();
});

test("errors about a URL show no key", async () => {
  for (const url of [
    `server://${KEY}@127.0.0.1:99999/127.0.0.1:1`,
    `client://${KEY}@127.0.0.1:1/127.0.0.1:1?tls=9`,
    `client://${KEY}@127.0.0.1/`,
    `nodepass://${KEY}@127.0.0.1:1/127.0.0.1:1`,
  ]) {
    const error: unknown = await openTunnel(url).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(JSON.stringify(error) + String(error)).not.toContain(KEY);
  }
});

// Reads /proc or uses tools that only Linux has.
test.skipIf(process.platform !== "linux")(
  "an end's process shows no key to the other users of its machine",
  async () => {
    const end = await EndProcess.open(`server://${KEY}@127.0.0.1:0/127.0.0.1:0?mode=1&log=debug`);
    // What `ps` shows. The file with the environment is for the same user only.
    expect(readFileSync(`/proc/${end.pid}/cmdline`, "latin1")).not.toContain(KEY);
    expect(end.output).toBe("");
    await end.kill();
  },
);

test("a server that a stranger talks to tells him nothing but what HTTP needs", async () => {
  const server = await openTunnel(`server://${KEY}@127.0.0.1:0/127.0.0.1:0?mode=1`);
  const path = await openPath({ to: tunnelPort(server) });
  const response = await fetch(`http://127.0.0.1:${path.port}/`);
  expect(response.status).toBe(401);
  const headers = [...response.headers.keys()].sort();
  expect(headers).toEqual([
    "connection",
    "content-length",
    "content-type",
    "date",
    "x-content-type-options",
  ]);
  expect(await response.text()).toBe("Unauthorized\n");
  await path.close();
  const closed = once(server, "state");
  await server.close({ timeoutMs: 0 });
  await closed;
});
