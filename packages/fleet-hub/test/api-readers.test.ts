import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { openHttpServer, resolveServerLimits } from "@nodepass/master-server";
import type { FleetInstance } from "@nodepass/model/fleet";
import { rawRequest } from "test-support/raw-request";
import { expect, it, onTestFinished, vi } from "vitest";
import { createAskedHub, MID } from "./support/asked-hub.ts";

const EVENTS = 10_000;
const INSTANCES = 500;

const instance = (id: number, tcprx: number): FleetInstance =>
  ({
    ...{ id: id.toString(16).padStart(8, "0"), mid: MID, master: "alpha", sid: null, tcprx },
    // As long as they are.
    url: `client://127.0.0.1:1/127.0.0.1:2?${"x".repeat(400)}`,
  }) as FleetInstance;

it("tells readers of a fleet's events on time and in bounded memory, though some never read", async () => {
  const { api, fleet } = createAskedHub();
  const server = await openHttpServer({
    listen: { host: "127.0.0.1", port: 0 },
    fetch: (request, environment) => api.app.fetch(request, environment),
    isStreamed: (response) => api.isStreamed(response),
    limits: resolveServerLimits({}),
    onError: (error) => {
      throw error;
    },
  });
  onTestFinished(() => server.destroy());
  const key = `X-API-Key: ${fleet.token("viewer")}\r\n`;
  const line = `GET /api/fleet/events?instances=true HTTP/1.1\r\nHost: x\r\n${key}\r\n`;
  const open = () => rawRequest(server.address.port, line);
  const deaf = Array.from({ length: 20 }, open);
  for (const one of deaf) one.pause();
  const readers = Array.from({ length: 5 }, open);
  await vi.waitFor(() => expect(fleet.listeners.size).toBe(25));
  for (const one of readers) await vi.waitFor(() => expect(one.text()).toContain("retry: 3000"));

  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const memory = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = memory();
  const time = "2026-11-26T08:00:00.000Z";
  for (let n = 0; n < EVENTS; n++) {
    fleet.emit({ type: "instance", time, instance: instance(n % INSTANCES, n) });
    if (n % 500 === 499) await new Promise((resolve) => setImmediate(resolve));
  }
  // The latest state of each, however many there were before.
  for (const one of readers) {
    await vi.waitFor(() => expect(one.text()).toContain(`"tcprx":${EVENTS - 1},`));
  }
  // Held back for those who don't read, these would be 10,000 x 0.6 kB x 20 = 120 MB.
  expect(memory() - before).toBeLessThan(32 * 2 ** 20);
  for (const one of [...deaf, ...readers]) one.destroy();
  await vi.waitFor(() => expect(fleet.listeners.size).toBe(0));
});
