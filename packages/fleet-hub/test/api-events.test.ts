import type { FleetEvent } from "@nodepass/model/fleet";
import { expect, it, vi } from "vitest";
import { createAskedHub, MID, SID } from "./support/asked-hub.ts";

const TIME = "2026-11-26T08:00:00.000Z";

/** Reads frames of a stream, as far as it is asked to. */
function readFrames(response: Response) {
  const reader = response.body?.getReader();
  if (reader === undefined) throw new Error("no body");
  let text = "";
  const frames: string[] = [];
  return {
    /** All frames up to one that fits. */
    until: async (fits: (frame: string) => boolean): Promise<string[]> => {
      const seen: string[] = [];
      for (;;) {
        const next = frames.shift();
        if (next !== undefined) {
          seen.push(next);
          if (fits(next)) return seen;
          continue;
        }
        const { done, value } = await reader.read();
        if (done) throw new Error(`ended after ${JSON.stringify(seen)}`);
        text += new TextDecoder().decode(value);
        const pieces = text.split("\n\n");
        text = pieces.pop() ?? "";
        frames.push(...pieces);
      }
    },
    rest: async (): Promise<string[]> => {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return [...frames, ...text.split("\n\n").filter((frame) => frame !== "")];
        text += new TextDecoder().decode(value);
      }
    },
    cancel: () => reader.cancel(),
  };
}

const eventOf = (frame: string): FleetEvent => {
  const data = /^event: fleet\ndata: (.*)$/.exec(frame)?.[1];
  if (data === undefined) throw new Error(`no event: ${frame}`);
  return JSON.parse(data);
};
const typeIs = (type: string) => (frame: string) => frame.includes(`"type":"${type}"`);

it("tells what is there, and then what changes", async () => {
  const { ask, fleet } = createAskedHub();
  const response = await ask("GET", "/fleet/events", { role: "viewer" });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const stream = readFrames(response);
  const first = await stream.until(typeIs("initialService"));
  expect(first[0]).toBe("retry: 3000");
  expect(first.slice(1).map(eventOf)).toMatchObject([
    { type: "initial", master: { mid: MID } },
    { type: "initialService", service: { sid: SID } },
  ]);
  const master = fleet.addMaster(MID, { name: "beta" });
  fleet.emit({ type: "master", time: TIME, master, message: "renamed" });
  fleet.emit({ type: "serviceRemoved", time: TIME, sid: SID, message: "" });
  const failover = { sid: SID, part: "server" as const, from: MID, to: null };
  fleet.emit({ type: "failover", time: TIME, ...failover, message: "lost" });
  const next = (await stream.until(typeIs("failover"))).map(eventOf);
  expect(next).toMatchObject([
    { type: "master", master: { name: "beta" }, message: "renamed" },
    { type: "serviceRemoved", sid: SID },
    { type: "failover", ...failover },
  ]);
  await stream.cancel();
  expect(fleet.listeners.size).toBe(0);
});

it("keeps the latest state of each thing for a slow reader, and every failover", async () => {
  const { ask, fleet } = createAskedHub();
  const stream = readFrames(await ask("GET", "/fleet/events"));
  await stream.until(typeIs("initialService"));
  for (let round = 0; round < 1000; round++) {
    const master = fleet.addMaster(MID, { drift: round });
    fleet.emit({ type: "master", time: TIME, master, message: "" });
  }
  for (const message of ["one", "two", "three"]) {
    const alarm = { alarm: "mass-loss" as const, raised: true, message };
    fleet.emit({ type: "alarm", time: TIME, ...alarm });
  }
  const seen: FleetEvent[] = [];
  while (!seen.some((event) => event.type === "master" && event.master.drift === 999)) {
    seen.push(...(await stream.until(() => true)).map(eventOf));
  }
  while (seen.filter(({ type }) => type === "alarm").length < 3) {
    seen.push(...(await stream.until(() => true)).map(eventOf));
  }
  expect(seen.filter(({ type }) => type === "master").length).toBeLessThan(4);
  await stream.cancel();
});

it("says how many failovers a reader was too slow for", async () => {
  const { ask, fleet } = createAskedHub({ events: { maxQueuedLines: 4 } });
  const stream = readFrames(await ask("GET", "/fleet/events"));
  await stream.until(typeIs("initialService"));
  for (let round = 0; round < 10; round++) {
    fleet.emit({ type: "alarm", time: TIME, alarm: "engine", raised: true, message: `${round}` });
  }
  const seen = await stream.until((frame) => frame.includes('"message":"9"'));
  expect(seen[0]).toMatch(/^: [56] events left out$/);
  await stream.cancel();
});

it("shows each token what it may see, and instances to whoever asks for them", async () => {
  const { ask, fleet } = createAskedHub();
  const subscribed = vi.spyOn(fleet, "subscribe");
  fleet.addMaster("00000000000000a2", { labels: { region: "us" } });
  const key = fleet.token("viewer", "region=us");
  const stream = readFrames(await ask("GET", "/fleet/events?instances=true", { key }));
  const seen = (await stream.until(typeIs("initialService"))).slice(1).map(eventOf);
  expect(seen.filter(({ type }) => type === "initial")).toMatchObject([
    { master: { mid: "00000000000000a2" } },
  ]);
  expect(subscribed.mock.calls[0]?.[1]).toEqual({ instances: true });
  await stream.cancel();
});

it("opens by a ticket, once, as whoever had it made", async () => {
  const { ask, fleet } = createAskedHub();
  const made = await ask("POST", "/fleet/events/ticket", { role: "operator" });
  const { ticket } = (await made.json()) as { ticket: string };
  const stream = readFrames(await ask("GET", `/fleet/events?ticket=${ticket}`, { key: null }));
  await stream.until(typeIs("initial"));
  expect([...fleet.listeners.values()]).toMatchObject([{ token: "t-operator", from: "192.0.2.1" }]);
  const again = await ask("GET", `/fleet/events?ticket=${ticket}`, { key: null });
  expect(again.status).toBe(401);
  // It opens events, and nothing else.
  const other = await ask("POST", "/fleet/events/ticket", { role: "admin" });
  const { ticket: full } = (await other.json()) as { ticket: string };
  expect((await ask("GET", `/fleet/tokens?ticket=${full}`, { key: null })).status).toBe(401);
  await stream.cancel();
});

it("bounds its readers, and ends with a shutdown", async () => {
  const { api, ask } = createAskedHub({ events: { maxReaders: 1, drainTimeoutMs: 5000 } });
  const head = await ask("HEAD", "/fleet/events");
  expect(head.status).toBe(200);
  const stream = readFrames(await ask("GET", "/fleet/events"));
  await stream.until(typeIs("initialService"));
  const second = await ask("GET", "/fleet/events");
  expect(second.status).toBe(503);
  expect(await second.json()).toEqual({ error: "too many event streams" });
  const rest = stream.rest();
  await api.close();
  expect((await rest).map(eventOf)).toMatchObject([{ type: "shutdown" }]);
  expect((await ask("GET", "/fleet/events")).status).toBe(503);
});
