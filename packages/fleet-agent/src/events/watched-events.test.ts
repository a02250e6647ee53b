import type { MemberEvent } from "@nodepass/fleet-protocol";
import type { Instance, InstanceEvent } from "@nodepass/model";
import { KEY_INSTANCE_ID, NO_COUNTERS, NO_META } from "@nodepass/model";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { WatchedEvents } from "./watched-events.ts";

let listener: ((event: InstanceEvent) => void) | undefined;
let list: Instance[];
let told: string[];
let events: WatchedEvents;

function instance(id: string, alias = ""): Instance {
  return {
    id,
    alias,
    type: "client",
    status: "running",
    url: "client://secret@127.0.0.1:1/127.0.0.1:2",
    config: "client://secret@127.0.0.1:1/127.0.0.1:2?log=info",
    restart: true,
    meta: NO_META,
    mode: 0,
    ...NO_COUNTERS,
    link: "none",
    reason: "",
    since: new Date(0).toISOString(),
    nextRetry: null,
    restingTargets: [],
  };
}

const happens = (type: "create" | "update" | "delete", one: Instance) =>
  listener?.({ type, instance: one });
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  listener = undefined;
  told = [];
  list = [instance("a"), instance("b")];
  events = new WatchedEvents({
    instances: {
      list: async () => list,
      subscribe: (given) => {
        listener = given;
        return () => {
          listener = undefined;
        };
      },
    },
    say: ({ type, instance: one }: MemberEvent) => {
      told.push(`${type} ${String(one.id)}${String(one.alias)}`);
      expect(JSON.stringify(one)).not.toContain("secret");
      return true;
    },
  });
});

afterEach(() => {
  events.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

it("costs nothing while nobody watches", () => {
  expect([listener, KEY_INSTANCE_ID]).toEqual([undefined, "********"]);
});

it("tells what is there, then what changes, the last state of each once", async () => {
  events.watch({ forMs: 60_000 });
  await pass(200);
  expect(told.splice(0)).toEqual(["initial a", "initial b"]);
  happens("update", instance("a", "1"));
  happens("update", instance("a", "2"));
  happens("create", instance("c"));
  happens("update", instance("c", "3"));
  happens("delete", instance("b"));
  await pass(200);
  expect(told.splice(0)).toEqual(["update a2", "create c3", "delete b"]);
  await pass(1000);
  expect(told).toEqual([]);
});

it("goes on while it is renewed, and ends by itself or when it is told to", async () => {
  events.watch({ forMs: 60_000 });
  await pass(50_000);
  events.watch({ forMs: 60_000, initial: false });
  await pass(50_000);
  expect([events.watched, told.length]).toEqual([true, 2]);
  await pass(10_000);
  expect([events.watched, listener]).toEqual([false, undefined]);
  events.watch({ forMs: 60_000, initial: false });
  await pass(200);
  expect(told.length).toBe(4);
  events.watch({ forMs: 0 });
  expect(events.watched).toBe(false);
});

it("tells many a part at a time", async () => {
  list = Array.from({ length: 600 }, (_, n) => instance(String(n)));
  events.watch({ forMs: 60_000 });
  await pass(200);
  expect(told.length).toBe(250);
  await pass(400);
  expect(told.length).toBe(600);
});
