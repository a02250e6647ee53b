import type { LogRecord, Tunnel } from "@nodepass/tunnel-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { shakeHands } from "../../src/handshake/handshake-client.ts";
import { newClientId } from "../../src/wire/proof.ts";
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
import { echo, endUsers } from "../support/users.ts";
import { expectLogged, expectSilentAbout, logged } from "./support/log-search.ts";
import { openPath, type Path } from "./support/path.ts";
import { proofKeys } from "./support/raw-handshake.ts";

const KEY = "correct-horse-battery";
const PROOF = "NodePass-Proof: ";

let target: ScriptedTarget;
let server: Tunnel;
let path: Path;
let client: Tunnel | undefined;
const serverLogs: LogRecord[] = [];

beforeAll(async () => {
  target = await startScriptedTarget();
});

afterEach(async () => {
  endUsers();
  await client?.close({ timeoutMs: 0 });
  await server.close({ timeoutMs: 0 });
  await path.close();
  serverLogs.length = 0;
});

afterAll(async () => {
  await target.close();
  await expectNoSockets();
});

/** A server, and somebody before it who changes its accepting answers. */
async function open(options: PairOptions, change: (answer: Buffer) => Buffer): Promise<void> {
  server = await openServer(options, serverLogs);
  path = await openPath({
    to: tunnelPort(server),
    onAnswered: (bytes) =>
      bytes.toString("latin1", 0, 12) === "HTTP/1.1 200" ? change(bytes) : bytes,
  });
}

function options(): PairOptions {
  const limits = { handshakeTimeoutMs: 500 };
  return { flow: "reverse", target: target.at, key: KEY, tls: 1, limits };
}

/** All bytes of the proof and of the body. */
function covered(answer: Buffer): number[] {
  const text = answer.toString("latin1");
  const body = text.indexOf("\r\n\r\n") + 4;
  const proof = text.indexOf(PROOF) + PROOF.length;
  const from = (start: number, length: number) => Array.from({ length }, (_, at) => start + at);
  return [...from(proof, 43), ...from(body, answer.length - body)];
}

test("each bit of an answer's body and proof, changed on the way, is refused", async () => {
  let bit = -1;
  let bits = 0;
  await open(options(), (answer) => {
    const positions = covered(answer);
    bits = positions.length * 8;
    const changed = Buffer.from(answer);
    const at = positions[bit >> 3];
    if (at !== undefined) changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7));
    return changed;
  });
  const keys = await proofKeys(KEY);
  // Always the same one, which may take its own session over.
  const identity = newClientId();
  const meet = () =>
    shakeHands({
      address: "127.0.0.1",
      port: path.port,
      serverName: undefined,
      keys,
      token: undefined,
      client: identity,
      extensions: ["datagrams", "streams"],
      timeoutMs: 5000,
      signal: new AbortController().signal,
    });
  expect((await meet()).proved).toBe(true);
  expect(bits).toBeGreaterThan(1600);
  const taken: number[] = [];
  for (bit = 0; bit < bits; bit++) {
    const refusal: unknown = await meet().then(
      () => taken.push(bit),
      (error: unknown) => error,
    );
    // Some make the header unreadable: nothing else of the answer is looked at then.
    if (refusal instanceof Error) {
      expect(refusal).toMatchObject({ code: expect.stringMatching(/^PEER_(UNPROVED|LOST)$/) });
    }
  }
  expect(taken).toEqual([]);
}, 120_000);

test.each<[string, (answer: string) => string]>([
  ["without TLS instead of with it", (answer) => answer.replace('"tls":"1"', '"tls":"0"')],
  ["the other direction", (answer) => answer.replace('"flow":"-"', '"flow":"+"')],
  ["no framed connections", (answer) => answer.replace('"streams"', '"strexms"')],
  ["no proof", (answer) => answer.replace(PROOF, "NodePass-Pr00f: ")],
])("an answer that says %s is refused, and both ends say so", async (_what, rewrite) => {
  let honest = false;
  await open(options(), (answer) => {
    const text = answer.toString("latin1");
    if (!honest) expect(rewrite(text)).not.toBe(text);
    return Buffer.from(honest ? text : rewrite(text), "latin1");
  });
  const logs: LogRecord[] = [];
  client = await openEnd(clientUrl(options(), path.port), logs);
  await expectLogged(logs, /the server's answer carries (a wrong|no) proof/);
  expect(client.state).toBe("error");
  // The server has proved itself and never hears of the client again.
  await expectLogged(serverLogs, /no control connection in time|taken over by/);
  expect(server.counters().pool).toBe(0);
  expect(logged(logs, "session established")).toBe(false);
  expect(path.connections.some(({ sent }) => /authorization: bearer/i.test(String(sent)))).toBe(
    false,
  );
  expectSilentAbout([...logs, ...serverLogs], [KEY]);
  // Once he leaves it alone the two meet.
  honest = true;
  await client.ready();
  await eventually(() => expect(server.counters().pool).toBeGreaterThan(0));
  expect(String(await echo(entryOf(server), Buffer.from("x")))).toBe("x");
});
