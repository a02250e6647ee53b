import type { Socket } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { expectNoSockets } from "../support/no-leaks.ts";
import { echoTcp, type ScriptedTarget, startScriptedTarget } from "../support/scripted-target.ts";
import {
  entryOf,
  eventually,
  openPair,
  openServer,
  type TunnelPair,
} from "../support/tunnel-pair.ts";
import { dial, echo, endOf, endUsers } from "../support/users.ts";
import { EndProcess } from "./support/end-process.ts";

const KEY = "correct-horse-battery";
/** What passes before something happens: more than all buffers on the way. */
const FLOWED_BYTES = 16 * 1024 * 1024;
const CHUNK = 64 * 1024;

let target: ScriptedTarget;

beforeAll(async () => {
  target = await startScriptedTarget();
});

afterEach(() => {
  endUsers();
  target.onTcp = echoTcp;
});

afterAll(async () => {
  await target.close();
  await expectNoSockets();
});

/** A byte that is told by its position, of a period that no buffer size has. */
function fill(chunk: Buffer, from: number): Buffer {
  for (let at = 0; at < chunk.length; at++) chunk[at] = ((from + at) % 251) & 0xff;
  return chunk;
}

/** Sends the pattern without an end, as fast as it is taken. */
function pour(socket: Socket): void {
  let sent = 0;
  const more = (): void => {
    if (socket.destroyed) return;
    const chunk = fill(Buffer.allocUnsafe(CHUNK), sent);
    sent += CHUNK;
    if (socket.write(chunk)) setImmediate(more);
    else socket.once("drain", more);
  };
  more();
}

/** Reads the pattern and counts what is not of it. */
function check(socket: Socket): { readonly bytes: number; readonly wrong: number } {
  const seen = { bytes: 0, wrong: 0 };
  socket.on("data", (chunk: Buffer) => {
    const expected = fill(Buffer.allocUnsafe(chunk.length), seen.bytes);
    if (!expected.equals(chunk)) seen.wrong++;
    seen.bytes += chunk.length;
  });
  return seen;
}

describe.each([
  { flow: "reverse", tls: 0 },
  { flow: "forward", tls: 0 },
  { flow: "reverse", tls: 1 },
  { flow: "single", tls: 0 },
] as const)("flow $flow, tls $tls: in the middle of a flow", ({ flow, tls }) => {
  let pair: TunnelPair;

  beforeEach(async () => {
    pair = await openPair({ flow, tls, target: target.at });
  });

  afterEach(async () => {
    await pair.close();
  });

  async function joined(): Promise<{ user: Socket; served: Socket }> {
    const taken = new Promise<Socket>((resolve) => {
      target.onTcp = resolve;
    });
    const user = await dial(pair.entry);
    user.write("x");
    const served = await taken;
    await new Promise((resolve) => served.once("data", resolve));
    served.pause();
    return { user, served };
  }

  async function expectNothingLeft(): Promise<void> {
    await eventually(() => {
      expect(pair.entryEnd.counters().tcps).toBe(0);
      expect(pair.exitEnd.counters().tcps).toBe(0);
    });
    target.onTcp = echoTcp;
    expect(String(await echo(pair.entry, Buffer.from("next")))).toBe("next");
  }

  test("a target's reset reaches a user who reads, and no wrong byte before it", async () => {
    const { user, served } = await joined();
    const seen = check(user);
    const end = endOf(user);
    pour(served);
    await eventually(() => expect(seen.bytes).toBeGreaterThan(FLOWED_BYTES));
    served.resetAndDestroy();
    expect(await end).toBe("ECONNRESET");
    expect(seen.wrong).toBe(0);
    await expectNothingLeft();
  });

  test("a user's reset reaches a target that sends and does not read", async () => {
    const { user, served } = await joined();
    user.pause();
    const failed = new Promise<string>((resolve) => {
      served.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    });
    pour(served);
    pour(user);
    // Both directions are full.
    await eventually(() => {
      expect(served.writableLength).toBeGreaterThan(0);
      expect(user.writableLength).toBeGreaterThan(0);
    });
    user.resetAndDestroy();
    expect(await failed).toMatch(/ECONNRESET|EPIPE/);
    await expectNothingLeft();
  });

  test("a target's reset reaches a user who sends and does not read, once he reads", async () => {
    const { user, served } = await joined();
    user.pause();
    pour(user);
    pour(served);
    await eventually(() => {
      expect(served.writableLength).toBeGreaterThan(0);
      expect(user.writableLength).toBeGreaterThan(0);
    });
    const end = endOf(user);
    user.pause();
    served.resetAndDestroy();
    user.resume();
    expect(await end).toMatch(/ECONNRESET|EPIPE/);
    await expectNothingLeft();
  });
});

describe.each(["client", "server"] as const)("kill -9 of the %s while bytes flow", (victim) => {
  test("is a reset for the user who waits for more, and no wrong byte before it", async () => {
    // The victim is the exit: the entry has to tell an end that was cut from one that was meant.
    const flow = victim === "client" ? "reverse" : "forward";
    let exit: EndProcess;
    let close: () => Promise<void>;
    let entry: { host: string; port: number };
    if (flow === "reverse") {
      const server = await openServer({ flow, target: target.at, key: KEY });
      const port = server.tunnelAddress?.port;
      exit = await EndProcess.open(`client://${KEY}@127.0.0.1:${port}/${target.at}?mode=2`);
      close = () => server.close({ timeoutMs: 0 });
      entry = entryOf(server);
    } else {
      exit = await EndProcess.open(`server://${KEY}@127.0.0.1:0/${target.at}?mode=2`);
      const url = `client://${KEY}@127.0.0.1:${exit.tunnelPort}/127.0.0.1:0?mode=2`;
      const client = await EndProcess.open(url);
      close = () => client.kill();
      entry = await eventually(async () => {
        const { entryPort } = await client.stats();
        if (entryPort === undefined) throw new Error("no entry yet");
        return { host: "127.0.0.1", port: entryPort };
      });
    }
    target.onTcp = pour;
    const user = await dial(entry);
    const seen = check(user);
    const end = endOf(user);
    await eventually(() => expect(seen.bytes).toBeGreaterThan(FLOWED_BYTES));
    await exit.kill();
    expect(await end).toBe("ECONNRESET");
    expect(seen.wrong).toBe(0);
    await close();
  });
});
