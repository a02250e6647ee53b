import type { LogRecord, Tunnel } from "@nodepass/tunnel-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { exchangeTcp, Peer114Client } from "../peer-114/index.ts";
import { expectNoSockets } from "../support/no-leaks.ts";
import { type ScriptedTarget, startScriptedTarget } from "../support/scripted-target.ts";
import {
  entryOf,
  eventually,
  openClient,
  openServer,
  type PairOptions,
  tunnelPort,
} from "../support/tunnel-pair.ts";
import { endUsers } from "../support/users.ts";
import { expectLogged, logged } from "./support/log-search.ts";
import { Lurkers } from "./support/lurkers.ts";

const KEY = "correct-horse-battery";
/** Of the trial that NodePass 1.14 fails with 59 of 60 users. */
const LURKERS = 64;
const USERS = 60;

let target: ScriptedTarget;
const opened: { close(options?: { timeoutMs: number }): Promise<void> | void }[] = [];

beforeAll(async () => {
  target = await startScriptedTarget();
});

afterEach(async () => {
  endUsers();
  for (const thing of opened.splice(0).reverse()) await thing.close({ timeoutMs: 0 });
});

afterAll(async () => {
  await target.close();
  await expectNoSockets();
});

function keep<T extends (typeof opened)[number]>(thing: T): T {
  opened.push(thing);
  return thing;
}

const options = (more: Partial<PairOptions> = {}): PairOptions => ({
  flow: "reverse",
  target: target.at,
  key: KEY,
  ...more,
});

/** A 1.14 client with the right key. */
function start114(server: Tunnel, at = target): Peer114Client {
  const tunnel = { host: "127.0.0.1", port: tunnelPort(server) };
  const timings = { reportIntervalMs: 500 };
  return keep(Peer114Client.start({ tunnel, key: KEY, min: 64, target: at, timings }));
}

/** Each of the users has to get his own words back. */
async function expectAllServed(entry: { host: string; port: number }): Promise<void> {
  const words = Array.from({ length: USERS }, (_, user) => `secret of user ${user}`);
  // Nobody ends his side first: NodePass 1.14 would cut the answer off.
  const answers = await Promise.all(
    words.map((text) => exchangeTcp(entry, Buffer.from(text), text.length)),
  );
  expect(answers.map(String)).toEqual(words);
}

test("a 1.14 client with the right key does not get the tunnel of a proved client that is there", async () => {
  const logs: LogRecord[] = [];
  const clientLogs: LogRecord[] = [];
  const server = keep(await openServer(options(), logs));
  const client = keep(await openClient(options(), tunnelPort(server), clientLogs));
  await client.ready();
  const other = await startScriptedTarget();
  keep(other);
  start114(server, other);
  await expectLogged(logs, "handshake refused: another client has the tunnel");
  await expectAllServed(entryOf(server));
  expect(other.connections).toBe(0);
  expect(logged(logs, "accepted by token")).toBe(false);
  expect(logged(clientLogs, "session ended")).toBe(false);
});

describe.each([0, 1] as const)("tls %i: 64 connections without the key", (tls) => {
  test("from the client's own address get no byte of a user of a proved client", async () => {
    const server = keep(await openServer(options({ tls })));
    const client = keep(await openClient(options({ tls }), tunnelPort(server)));
    await client.ready();
    const lurkers = keep(new Lurkers({ port: tunnelPort(server), tls: tls === 1 }));
    await lurkers.come(LURKERS, "127.0.0.1");
    await expectAllServed(entryOf(server));
    expect(lurkers.heard).toBe(0);
    expect(client.state).toBe("running");
  });

  test("from another address than a 1.14 client's get no byte of its users", async () => {
    const server = keep(await openServer(options({ tls })));
    const peer = start114(server);
    await peer.ready();
    await eventually(() => expect(server.state).toBe("running"));
    const lurkers = keep(new Lurkers({ port: tunnelPort(server), tls: tls === 1 }));
    await lurkers.come(LURKERS, "127.0.0.2");
    await expectAllServed(entryOf(server));
    expect(lurkers.heard).toBe(0);
  });

  // Not promised (docs/security.md): pool connections of 1.14 say nothing of who they are.
  test("from the address of a 1.14 client are given its ids", async () => {
    const server = keep(await openServer(options({ tls })));
    const peer = start114(server);
    await peer.ready();
    const lurkers = keep(new Lurkers({ port: tunnelPort(server), tls: tls === 1 }));
    await lurkers.come(LURKERS, "127.0.0.1");
    await eventually(() => expect(lurkers.heard).toBeGreaterThan(0));
  });
});
