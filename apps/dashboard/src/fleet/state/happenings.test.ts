import type { Alarm, FleetEvent, FleetMaster, Service } from "@nodepass/model/fleet";
import { describe, expect, it } from "vitest";
import { Happenings } from "./happenings.ts";

const time = "2026-11-26T08:00:00.000Z";
const master = (mid: string, change: Partial<FleetMaster> = {}) =>
  ({ mid, name: `name-${mid}`, status: "online", duplicate: false, ...change }) as FleetMaster;
const service = (owner: string | null) =>
  ({ sid: "s1", alias: "shop", parts: [{ role: "client", owner }] }) as unknown as Service;

/** Hears events as a fleet's state does: what is known changes after each. */
function hearing() {
  const masters = new Map<string, FleetMaster>();
  const services = new Map<string, Service>();
  const alarms = new Map<Alarm, string>();
  const nameOf = (mid: string | null) => masters.get(mid ?? "")?.name ?? mid ?? "–";
  const happenings = new Happenings({ masters, services, nameOf });
  const hear = (event: FleetEvent) => {
    happenings.hear(event, alarms);
    if (event.type === "initial" || event.type === "master") {
      masters.set(event.master.mid, event.master);
    } else if (event.type === "initialService" || event.type === "service") {
      services.set(event.service.sid, event.service);
    } else if (event.type === "alarm" && event.raised) alarms.set(event.alarm, event.message);
    else if (event.type === "alarm") alarms.delete(event.alarm);
  };
  /** The oldest first. */
  const told = () => happenings.list.value.map(({ type, name }) => `${type} ${name}`).reverse();
  return { hear, told, list: happenings.list };
}

describe("what happened in a fleet", () => {
  it("is not what a stream begins with, however often it begins", () => {
    const { hear, told } = hearing();
    for (let times = 0; times < 2; times += 1) {
      hear({ type: "initial", time, master: master("a"), message: "" });
      hear({ type: "initialService", time, service: service("a"), message: "" });
    }
    expect(told()).toEqual([]);
    // But what changed between two streams is.
    hear({ type: "initial", time, master: master("a", { status: "lost" }), message: "" });
    expect(told()).toEqual(["status name-a"]);
  });

  it("is a master that comes, changes its status or has a double, and no mere figures", () => {
    const { hear, told } = hearing();
    hear({ type: "master", time, master: master("a"), message: "joined" });
    hear({ type: "master", time, master: master("a", { parts: 3 }), message: "changed" });
    hear({ type: "master", time, master: master("a", { status: "late" }), message: "late" });
    hear({
      type: "master",
      time,
      master: master("a", { status: "late", duplicate: true }),
      message: "",
    });
    hear({ type: "masterRemoved", time, mid: "a", message: "removed" });
    expect(told()).toEqual(["joined name-a", "status name-a", "duplicate name-a", "left name-a"]);
  });

  it("is a move from who had it, also while nobody has", () => {
    const { hear, list } = hearing();
    for (const mid of ["a", "b"]) hear({ type: "initial", time, master: master(mid), message: "" });
    hear({ type: "initialService", time, service: service("a"), message: "" });
    hear({ type: "service", time, service: service(null), message: "" });
    hear({ type: "service", time, service: service("b"), message: "" });
    expect(list.value).toMatchObject([
      { type: "moved", name: "shop", part: "client", from: "name-a", to: "name-b" },
    ]);
  });

  it.each(["before", "after"])("is a failover once, told %s its service has changed", (order) => {
    const { hear, told } = hearing();
    for (const mid of ["a", "b"]) hear({ type: "initial", time, master: master(mid), message: "" });
    hear({ type: "initialService", time, service: service("a"), message: "" });
    const events: FleetEvent[] = [
      { type: "failover", time, sid: "s1", part: "client", from: "a", to: "b", message: "" },
      { type: "service", time, service: service("b"), message: "" },
    ];
    for (const event of order === "before" ? events : events.reverse()) hear(event);
    expect(told()).toEqual(["failover shop"]);
  });

  it("is an alarm when it is raised and when it is over, each once", () => {
    const { hear, list } = hearing();
    const alarm = (raised: boolean) =>
      hear({ type: "alarm", time, alarm: "mass-loss", raised, message: "9 at once" });
    for (const raised of [true, true, false, false]) alarm(raised);
    expect(list.value).toMatchObject([{ isRaised: false }, { isRaised: true }]);
  });

  it("is forgotten beyond 500", () => {
    const { hear, list } = hearing();
    for (let index = 0; index < 600; index += 1) {
      hear({ type: "master", time, master: master(`m${index}`), message: "joined" });
    }
    expect([list.value.length, list.value[0]?.name]).toEqual([500, "name-m599"]);
  });
});
