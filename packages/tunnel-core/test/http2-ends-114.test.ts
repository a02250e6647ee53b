import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { exchangeTcp } from "./peer-114/index.ts";
import { eventually, type InteropPair, startPair } from "./support/interop-pair.ts";

/** How connections end over HTTP/2 with a NodePass 1.14 node, whose streams know no end of their own. */
let pair: InteropPair | undefined;
const sockets = new Set<Socket>();

/** What happened to a connection: what it read, its end, its error. */
function recorded(socket: Socket): string[] {
  const events: string[] = [];
  sockets.add(socket);
  socket.on("error", ({ message }) => events.push(message));
  socket.on("data", (chunk: Buffer) => events.push(String(chunk)));
  socket.on("end", () => events.push("end"));
  socket.on("close", () => events.push("close"));
  return events;
}

/** @param serve the target's connection; what happens to it is recorded */
async function open(
  ours: "server" | "client",
  flow: "-" | "+",
  serve: (socket: Socket) => void,
  max = 64,
): Promise<{ pair: InteropPair; ends: string[][] }> {
  const ends: string[][] = [];
  const tcp = (socket: Socket): void => {
    ends.push(recorded(socket));
    serve(socket);
  };
  pair = await startPair({ ours, flow, tls: 1, type: 3, target: { tcp }, server: { max } });
  await pair.ready();
  return { pair, ends };
}

async function user({ entry }: InteropPair): Promise<{ socket: Socket; events: string[] }> {
  const socket = connect({ ...entry(), allowHalfOpen: true });
  const events = recorded(socket);
  await once(socket, "connect");
  return { socket, events };
}

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await pair?.close();
  pair = undefined;
});

test.each(["server", "client"] as const)(
  "a user's end is an end to the target, and closes both (our %s)",
  async (ours) => {
    const { pair, ends } = await open(ours, "+", () => {});
    const { socket, events } = await user(pair);
    socket.write("hello");
    await eventually(() => expect(ends).toEqual([["hello"]]));
    socket.end();
    // The target's side of this test ends when the user has.
    await eventually(() => expect(ends).toEqual([["hello", "end", "close"]]));
    await eventually(() => expect(events).toEqual(["end", "close"]));
    await eventually(() => expect(pair.tunnel.counters().tcps).toBe(0));
    expect(pair.peer.violations).toEqual([]);
  },
);

test.each(["server", "client"] as const)(
  "a target's end behind its answer is an end to the user, and closes both (our %s)",
  async (ours) => {
    const answer = "x".repeat(300_000);
    const { pair, ends } = await open(ours, "-", (socket) => {
      socket.once("data", () => socket.end(answer));
    });
    const { socket, events } = await user(pair);
    socket.write("hello");
    await eventually(() => expect(events).toContain("end"));
    expect(events.slice(0, -1).join("").length).toBe(answer.length);
    socket.end();
    await eventually(() => expect(ends[0]).toContain("close"));
    expect(ends[0]?.filter((event) => /E[A-Z]+/.test(event))).toEqual([]);
    await eventually(() => expect(pair.tunnel.counters().tcps).toBe(0));
    expect(pair.peer.violations).toEqual([]);
  },
);

test("a 1.14 server that serves as many streams as its limit on a connection gets another one", async () => {
  const { pair } = await open("client", "+", (socket) => void socket.pipe(socket), 8);
  for (let count = 0; count < 40; count++) {
    const payload = Buffer.from(`request ${count}`);
    expect(await exchangeTcp(pair.entry(), payload, payload.length)).toEqual(payload);
  }
  expect(pair.peer.counters).toMatchObject({ unserved: 0, sessions: 1, sessionsLost: 0 });
  expect(pair.peer.violations).toEqual([]);
});
