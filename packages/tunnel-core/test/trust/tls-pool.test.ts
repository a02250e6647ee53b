import { once } from "node:events";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { shakeHands } from "../../src/handshake/handshake-client.ts";
import { createHelloWriter } from "../../src/wire/pool-hello.ts";
import { newClientId } from "../../src/wire/proof.ts";
import { FRAME_FIN, streamHeader } from "../../src/wire/stream-frame.ts";
import { expectNoSockets } from "../support/no-leaks.ts";
import { type ScriptedTarget, startScriptedTarget } from "../support/scripted-target.ts";
import { EndProcess } from "./support/end-process.ts";
import { expectLogged } from "./support/log-search.ts";
import { proofKeys } from "./support/raw-handshake.ts";

const KEY = "correct-horse-battery";

let target: ScriptedTarget;
let server: EndProcess;

beforeAll(async () => {
  target = await startScriptedTarget();
});

afterEach(async () => {
  await server.kill();
});

afterAll(async () => {
  await target.close();
  await expectNoSockets();
});

// In a process of its own: Node crashes when TLS is closed in the wrong order in this turn.
test.each([
  ["entry", "127.0.0.1:0?mode=1", Buffer.from("ff000000", "hex")],
  ["exit", "TARGET?mode=2", streamHeader(FRAME_FIN, 0)],
])(
  "as %s, a server outlives broken frames that come with the hello and the end of the TLS handshake",
  async (_role, rest, frames) => {
    const url = `server://${KEY}@127.0.0.1:0/${rest.replace("TARGET", target.at)}&tls=1`;
    server = await EndProcess.open(url);
    const met = await shakeHands({
      address: "127.0.0.1",
      port: server.tunnelPort,
      serverName: undefined,
      keys: await proofKeys(KEY),
      token: undefined,
      client: newClientId(),
      extensions: ["datagrams", "streams"],
      timeoutMs: 5000,
      signal: new AbortController().signal,
    });
    if (!met.proved) throw new Error("the server has not proved itself");
    const hello = createHelloWriter(Buffer.from(met.answer.session, "hex"), met.sessionKey);
    const begin = (bytes: Buffer) => {
      const raw = connect(server.tunnelPort, "127.0.0.1");
      const secure = connectTls({ socket: raw, rejectUnauthorized: false });
      raw.on("error", () => {});
      secure.on("error", () => {}).resume();
      // Before the handshake: it leaves with its last flight.
      secure.write(bytes);
      return { secure, closed: once(raw, "close") };
    };
    const control = begin(hello(0));
    await Promise.all(
      Array.from({ length: 32 }, (_, at) => begin(Buffer.concat([hello(at + 1), frames])).closed),
    );
    await expectLogged(server.logs, "pool connection broke the rules of frames");
    const { counters } = await server.stats();
    expect(counters).toMatchObject({ pool: 0, tcps: 0 });
    expect(control.secure.destroyed).toBe(false);
    control.secure.destroy();
  },
);
