import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { KEEP_ALIVE_MS } from "../src/index.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { startScriptedTarget } from "./support/scripted-target.ts";
import { eventually, openPair } from "./support/tunnel-pair.ts";
import { dial, endUsers, readExactly } from "./support/users.ts";

const open: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  endUsers();
  for (const one of open.splice(0).reverse()) await one.close();
  await expectNoSockets();
});

interface Connection {
  readonly local: number;
  readonly remote: number;
  /** Which timer the system runs: 2 is keep-alive. */
  readonly timer: number;
  /** When it fires, ms. */
  readonly inMs: number;
}

/** The system's established IPv4 connections with their timers (proc_pid_net(5), `tr tm->when`). */
function connections(): Connection[] {
  const port = (address = ""): number => Number.parseInt(address.split(":")[1] ?? "", 16);
  const lines = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) => {
    return readFileSync(file, "utf8").split("\n").slice(1);
  });
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[3] === "01")
    .map((columns) => {
      const [timer = "", when = ""] = (columns[5] ?? "").split(":");
      const inMs = Number.parseInt(when, 16) * 10;
      return { local: port(columns[1]), remote: port(columns[2]), timer: Number(timer), inMs };
    });
}

test.each([
  ["single", 0, 0],
  ["reverse", 0, 0],
  ["forward", 0, 0],
  ["reverse", 1, 0],
  ["reverse", 1, 2],
  ["forward", 0, 2],
  ["reverse", 1, 3],
] as const)(
  "flow %s, tls %i, type %i: the system probes idle connections on both ends",
  async (flow, tls, type) => {
    const target = await startScriptedTarget();
    open.push(target);
    const pair = await openPair({
      flow,
      tls,
      target: target.at,
      min: 2,
      serverQuery: `type=${type}`,
    });
    open.push(pair);
    const taken: Socket[] = [];
    target.onTcp = (socket) => {
      socket.pipe(socket);
      taken.push(socket);
    };
    // The first one gets it at once, the second when it has lasted for a while.
    const users = [await dial(pair.entry), await dial(pair.entry)];
    for (const user of users) {
      user.write("x");
      await readExactly(user, 1);
    }
    const tunnel = pair.server?.tunnelAddress?.port;
    const ours = ({ local, remote }: Connection): boolean =>
      // The entry's socket of the user, the exit's socket of the target, the pool on both ends.
      (local === pair.entry.port && users.some(({ localPort }) => remote === localPort)) ||
      (remote === target.port && taken.some(({ remotePort }) => local === remotePort)) ||
      (tunnel !== undefined && (local === tunnel || remote === tunnel));
    await eventually(() => {
      const all = connections().filter(ours);
      expect(all.length).toBeGreaterThanOrEqual(flow === "single" ? 4 : type === 3 ? 6 : 8);
      // A connection with bytes on their way runs another timer until they are acknowledged.
      expect(all.filter(({ timer }) => timer !== 2)).toEqual([]);
      for (const { inMs } of all) expect(inMs).toBeLessThanOrEqual(KEEP_ALIVE_MS + 1000);
    });
  },
);
