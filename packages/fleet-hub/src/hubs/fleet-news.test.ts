import { SILENT_LOGGER } from "@nodepass/model";
import type { FleetEvent } from "@nodepass/model/fleet";
import { expect, test } from "vitest";
import { SimulatedClock, SimulatedTime } from "../../test/support/simulated-clock.ts";
import { createNews, type LiveNews } from "./fleet-news.ts";
import type { News, Notices } from "./notices.ts";

/** Hubs that hear each other. @returns adds one */
function network(time: SimulatedTime) {
  const listeners = new Map<string, Set<(notice: News) => void>>();
  const cut = new Set<string>();
  return (hub: string) => {
    const own = new Set<(notice: News) => void>();
    listeners.set(hub, own);
    const notices: Notices = {
      publish: (notice) => {
        if (cut.has(hub)) return;
        for (const [name, all] of listeners) {
          if (name !== hub) for (const listener of all) listener({ ...notice, hub } as News);
        }
      },
      on: (listener) => {
        own.add(listener);
        return () => own.delete(listener);
      },
      hubs: () => [],
      close: () => undefined,
    };
    const news = createNews(notices, new SimulatedClock(time), SILENT_LOGGER);
    const events: FleetEvent[] = [];
    news.on((event) => events.push(event));
    return { news, events, cut: () => cut.add(hub) };
  };
}

const raised = (news: LiveNews) => news.raised().map(({ alarm }) => alarm);
const alarms = (events: readonly FleetEvent[]) =>
  events.flatMap((event) => (event.type === "alarm" ? [`${event.alarm} ${event.raised}`] : []));

test("an alarm is raised once, at all hubs, and ended by who raised it", async () => {
  const time = new SimulatedTime();
  const add = network(time);
  const [a, b] = [add("a"), add("b")];
  a.news.alarm("mass-loss", true, "too many");
  a.news.alarm("mass-loss", true, "too many");
  expect([raised(a.news), raised(b.news)]).toEqual([["mass-loss"], ["mass-loss"]]);
  // One that is another's is not ended here by the way.
  b.news.alarm("mass-loss", false, "");
  expect(b.news.isRaised("mass-loss")).toBe(true);
  await time.run(200_000);
  expect(raised(b.news)).toEqual(["mass-loss"]);
  a.news.alarm("mass-loss", false, "resumed");
  expect([raised(a.news), raised(b.news)]).toEqual([[], []]);
  for (const hub of [a, b])
    expect(alarms(hub.events)).toEqual(["mass-loss true", "mass-loss false"]);
});

test("a hub that begins later hears of it", async () => {
  const time = new SimulatedTime();
  const add = network(time);
  const a = add("a");
  a.news.alarm("duplicate", true, "twice");
  await time.run(1000);
  const late = add("late");
  await time.run(20_000);
  expect(alarms(late.events)).toEqual(["duplicate true"]);
});

test("a hub that is gone takes its alarms along, but for those that a person must end", async () => {
  const time = new SimulatedTime();
  const add = network(time);
  const [a, b] = [add("a"), add("b")];
  a.news.alarm("duplicate", true, "twice");
  a.news.alarm("mass-loss", true, "too many");
  await time.run(1000);
  a.cut();
  await time.run(80_000);
  expect(raised(b.news)).toEqual(["mass-loss"]);
  b.news.alarm("mass-loss", false, "resumed");
  expect(raised(b.news)).toEqual([]);
});

test("failovers are told at all hubs", () => {
  const add = network(new SimulatedTime());
  const [a, b] = [add("a"), add("b")];
  a.news.failover({ sid: "s", part: "server", from: "x", to: "y", message: "lost" });
  for (const hub of [a, b]) {
    expect(hub.events).toMatchObject([{ type: "failover", sid: "s", from: "x", to: "y" }]);
  }
});

test("that nobody takes a part over is told once, known at all hubs, and forgotten", async () => {
  const time = new SimulatedTime();
  const add = network(time);
  const [a, b] = [add("a"), add("b")];
  const part = { sid: "s", part: "server", from: "m0" } as const;
  const told = ({ events }: typeof a) =>
    events.flatMap((event) => (event.type === "failover" ? [event.message] : []));
  a.news.failover({ ...part, to: null, message: "nobody" });
  const late = add("c");
  a.news.failover({ ...part, to: null, message: "nobody" });
  for (const hub of [a, b, late]) {
    expect(told(hub)).toEqual(["nobody"]);
    expect(hub.news.stuck("s", "server", "m0")).toBe("nobody");
    expect(hub.news.stuck("s", "server", "m1")).toBeUndefined();
    expect(hub.news.stuck("s", "client", "m0")).toBeUndefined();
  }
  a.news.failover({ ...part, to: "m1", message: "taken" });
  for (const hub of [a, b, late]) {
    expect(told(hub)).toEqual(["nobody", "taken"]);
    expect(hub.news.stuck("s", "server", "m0")).toBeUndefined();
  }
});
