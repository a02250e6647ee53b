import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { openTunnel, type Tunnel, type TunnelOptions } from "@nodepass/tunnel-core";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { eventually } from "./support/tunnel-pair.ts";

/** This file's own loopback address. */
const HOST = "127.31.7.4";
const opened: Tunnel[] = [];

afterEach(async () => {
  for (const tunnel of opened.splice(0)) await tunnel.close({ timeoutMs: 0 });
});

async function open(url: string, options: TunnelOptions = {}): Promise<Tunnel> {
  const tunnel = await openTunnel(url, options);
  opened.push(tunnel);
  return tunnel;
}

/** A pair whose users and target are this process: no port but the tunnel's own. */
async function pair(
  onConnection: NonNullable<TunnelOptions["onConnection"]>,
  { query = "", limits = {} }: { query?: string; limits?: TunnelOptions["limits"] } = {},
): Promise<{ entry: Tunnel; exit: Tunnel }> {
  const entry = await open(`server://k@${HOST}:0/${HOST}:0?mode=1${query}`, { limits });
  const port = entry.tunnelAddress?.port;
  const exit = await open(`client://k@${HOST}:${port}/${HOST}:9?mode=2`, { onConnection });
  await exit.ready();
  return { entry, exit };
}

const echo = (stream: Duplex): void => {
  stream.on("error", () => {});
  stream.pipe(stream);
};

test.each(["", "&tls=1"])(
  "bytes arrive whole both ways, with back pressure (%s)",
  async (query) => {
    const { entry, exit } = await pair(echo, { query });
    const sent = randomBytes(8 * 1024 * 1024);
    const stream = await entry.connect();
    const copy = Buffer.from(sent);
    stream.end(sent);
    const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
    expect(digest(await buffer(stream))).toBe(digest(copy));
    // What the program has given is still what it was: nothing masks or encrypts in place.
    expect(digest(sent)).toBe(digest(copy));
    await eventually(() => expect(entry.counters().tcps + exit.counters().tcps).toBe(0));
    expect(entry.counters()).toMatchObject({ tcprx: sent.length, tcptx: sent.length });
  },
);

/** Where this process dials through a tunnel whose users come in at the client, or through one end. */
const entries = {
  forward: async (): Promise<Tunnel> => {
    const exit = await openTunnel(`server://k@${HOST}:0/${HOST}:9?mode=2`, { onConnection: echo });
    opened.push(exit);
    const port = exit.tunnelAddress?.port;
    const entry = await open(`client://k@${HOST}:${port}/${HOST}:0?mode=2`);
    await entry.ready();
    return entry;
  },
  "single end": async (): Promise<Tunnel> => open(`client://${HOST}:0/${await target()}?mode=1`),
};

async function target(): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, echo).listen(0, HOST);
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return `${HOST}:${(server.address() as AddressInfo).port}`;
}

test.each(["forward", "single end"] as const)("a %s dials for the program, too", async (flow) => {
  const entry = await entries[flow]();
  const sent = randomBytes(300_000);
  const copy = Buffer.from(sent);
  const stream = await entry.connect();
  stream.end(sent);
  expect((await buffer(stream)).equals(copy)).toBe(true);
  await eventually(() => expect(entry.counters().tcps).toBe(0));
});

test("a target that is not there is an error for the program", async () => {
  const entry = await open(`client://${HOST}:0/${HOST}:1?mode=1`);
  await expect(entry.connect()).rejects.toMatchObject({ code: "TARGET_UNREACHABLE" });
});

test("each side ends by itself, and the exit hears who it is", async () => {
  const heard: string[] = [];
  const { entry } = await pair((stream, { remote }) => {
    stream.on("error", () => {});
    heard.push(remote);
    // By events: to iterate a Duplex to its end destroys it, and so cuts the user.
    let bytes = 0;
    stream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    stream.on("end", () => stream.end(`${bytes} bytes`));
  });
  const stream = await entry.connect();
  stream.end("first half");
  expect(String(await buffer(stream))).toBe("10 bytes");
  expect(heard).toEqual(["127.0.0.1:0"]);
});

test("a cut on one side is a reset on the other, in both directions", async () => {
  const inside: Duplex[] = [];
  const { entry } = await pair((stream) => inside.push(stream.on("error", () => {})));
  const user = await entry.connect();
  user.write("x");
  await eventually(() => expect(inside.length).toBe(1));
  const failed = once(user, "error");
  inside[0]?.destroy();
  expect(await failed).toMatchObject([{ code: "ECONNRESET" }]);

  const other = await entry.connect();
  other.on("error", () => {}).write("x");
  await eventually(() => expect(inside.length).toBe(2));
  let code: unknown;
  inside[1]?.on("error", (error: NodeJS.ErrnoException) => {
    code = error.code;
  });
  other.destroy();
  await eventually(() => expect(code).toBe("ECONNRESET"));
});

test("a reader that doesn't read holds the writer back", async () => {
  const { entry } = await pair((stream) => {
    stream.on("error", () => {});
  });
  const stream = await entry.connect();
  stream.on("error", () => {});
  const chunk = Buffer.alloc(64 * 1024);
  let written = 0;
  let full = false;
  while (!full && written < 256 * 1024 * 1024) {
    written += chunk.length;
    if (stream.write(chunk)) continue;
    full = await Promise.race([
      once(stream, "drain").then(() => false),
      new Promise<boolean>((resolve) => setTimeout(resolve, 300, true)),
    ]);
  }
  expect(full).toBe(true);
});

test("connect() says why not: an exit, no peer, no slot, given up, closed", async () => {
  const { entry, exit } = await pair(echo, { query: "&slot=1" });
  await expect(exit.connect()).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
  const first = await entry.connect();
  first.on("error", () => {});
  await expect(entry.connect()).rejects.toMatchObject({ code: "SLOTS_TAKEN" });

  const url = `server://k@${HOST}:0/${HOST}:0?mode=1`;
  const alone = await open(url, { limits: { poolGetTimeoutMs: 50 } });
  await expect(alone.connect()).rejects.toMatchObject({ code: "POOL_TIMEOUT" });
  const reason = new Error("given up");
  await expect(alone.connect({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  await eventually(() => expect(alone.counters().tcps).toBe(0));
  await alone.close({ timeoutMs: 0 });
  await expect(alone.connect()).rejects.toMatchObject({ code: "CLOSED" });

  const single = openTunnel(`client://${HOST}:0/${HOST}:9?mode=1`, { onConnection: echo });
  await expect(single).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
});

test("an onConnection that throws cuts its user, and the tunnel goes on", async () => {
  let calls = 0;
  const { entry } = await pair((stream) => {
    if (calls++ === 0) throw new Error("a fault of the program");
    echo(stream);
  });
  const cut = await entry.connect();
  expect(await once(cut, "error")).toMatchObject([{ code: "ECONNRESET" }]);
  const next = await entry.connect();
  next.end("still here");
  expect(String(await buffer(next))).toBe("still here");
});
