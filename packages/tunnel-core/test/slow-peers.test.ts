import { connect, createServer, type Socket } from "node:net";
import type { LogRecord } from "@nodepass/tunnel-core";
import { afterEach, expect, test } from "vitest";
import { expectNoSockets } from "./support/no-leaks.ts";
import { startScriptedTarget } from "./support/scripted-target.ts";
import {
  clientUrl,
  entryOf,
  eventually,
  openEnd,
  openServer,
  tunnelPort,
} from "./support/tunnel-pair.ts";
import { echo, endUsers } from "./support/users.ts";

/** One way of a path as long as a satellite's, ms: its round trip is over a probe's shortest time. */
const DELAY_MS = 250;

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  endUsers();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await expectNoSockets();
});

/** A way to a port of 127.0.0.1 on which every byte takes its time. @returns its port */
async function openLongPath(to: number): Promise<number> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    return socket.once("close", () => sockets.delete(socket));
  };
  const later = (from: Socket, onto: Socket): void => {
    from.on("data", (bytes: Buffer) => setTimeout(() => onto.write(bytes), DELAY_MS));
    from.once("close", () => setTimeout(() => onto.destroy(), DELAY_MS));
  };
  const listener = createServer({ noDelay: true }, (near) => {
    const far = keep(connect({ host: "127.0.0.1", port: to, noDelay: true }));
    later(keep(near), far);
    later(far, near);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => listener.close(resolve));
  });
  const address = listener.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("a client with a long round trip keeps its tunnel when another one knocks", async () => {
  const target = await startScriptedTarget();
  cleanups.push(() => target.close());
  const logs: LogRecord[] = [];
  // No pong of a regular ping comes while the probe waits.
  const limits = { reportIntervalMs: 5000 };
  const pair = { flow: "reverse" as const, target: target.at, limits };
  const server = await openServer(pair, logs);
  cleanups.push(() => server.close({ timeoutMs: 0 }));
  const farLogs: LogRecord[] = [];
  const far = await openEnd(clientUrl(pair, await openLongPath(tunnelPort(server))), farLogs);
  cleanups.push(() => far.close({ timeoutMs: 0 }));
  await far.ready();
  await eventually(() => expect(server.state).toBe("running"));
  // While its round trip is not known yet, and after.
  for (const round of ["first", "second"]) {
    logs.length = 0;
    const second = await openEnd(clientUrl(pair, tunnelPort(server)));
    await eventually(() => {
      const said = logs.map(({ message }) => message);
      expect(said, round).toContain("handshake refused: another client has the tunnel");
    });
    second.destroy();
    await eventually(() => expect(server.counters().ping).toBeGreaterThanOrEqual(2 * DELAY_MS));
  }
  expect(far.state).toBe("running");
  expect(farLogs.filter(({ message }) => message === "session established")).toHaveLength(1);
  const answer = await echo(entryOf(server), Buffer.from("still here"));
  expect(String(answer)).toBe("still here");
});
