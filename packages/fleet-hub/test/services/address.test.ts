import { afterEach, describe, expect, it } from "vitest";
import { DIALLED_WITHIN_MS } from "../../src/services/follow-address.ts";
import { ADMIN, midOf, World, type WorldOptions } from "../support/sim/world.ts";

const SERVER = { url: "server://0.0.0.0:auto/127.0.0.1:80", master: "m0" };
const CLIENT = { url: "client://auto/127.0.0.1:8080", master: "m1" };

let world: World | undefined;
const begin = async (options: WorldOptions = {}) => {
  world = await World.start(options);
  return world;
};
afterEach(() => {
  expect(world?.broken).toEqual([]);
  world?.close();
  world = undefined;
});

/** As a hub does it for an admin. */
const setAddress = async (fleet: World, address: string) => {
  const silent = { cross: () => Promise.resolve(), lag: () => 0, after: () => undefined };
  const found = fleet.store.members.peek(midOf(0));
  if (found === undefined) throw new Error("no member");
  const { address: before, formerAddresses = [] } = found.value;
  const former = [...formerAddresses, before].filter((one) => one !== "" && one !== address);
  const value = { ...found.value, address, formerAddresses: former };
  await fleet.store.members.seenBy(silent).update(midOf(0), value, found.revision);
};
const dialled = (fleet: World, sid: string) =>
  /@([\d.]+):\d+\//.exec(fleet.record(sid)?.parts[1]?.url ?? "")?.[1];
const former = (fleet: World) => fleet.store.members.peek(midOf(0))?.value.formerAddresses;

describe("a master's new address", () => {
  it("reaches the clients of its servers at once, at the same epoch, and no others", async () => {
    const fleet = await begin();
    await fleet.create("pair", { parts: [SERVER, CLIENT] });
    await fleet.create("other", { parts: [{ ...SERVER, master: "m2" }, CLIENT] });
    const port = /:(\d+)\//.exec(fleet.record("pair")?.parts[0]?.url ?? "")?.[1];
    const byHand = { ...CLIENT, url: "client://192.0.2.7:4444/127.0.0.1:8081" };
    await fleet.create("by-hand", { parts: [SERVER, byHand] });
    const epochs = fleet.record("pair")?.parts.map(({ epoch }) => epoch);
    const others = ["other", "by-hand"].map((sid) => fleet.record(sid));
    await setAddress(fleet, "10.9.9.9");
    await fleet.time.pass(200);
    expect(dialled(fleet, "pair")).toBe("10.9.9.9");
    expect(fleet.member(1).order("pair", 1)?.url).toContain(`@10.9.9.9:${port}/`);
    expect(fleet.record("pair")?.parts.map(({ epoch }) => epoch)).toEqual(epochs);
    expect(["other", "by-hand"].map((sid) => fleet.record(sid))).toEqual(others);
    expect(fleet.serving("pair", 1)).toEqual(["m1"]);
    expect(former(fleet)).toEqual(["10.0.0.1"]);
    await fleet.time.pass(DIALLED_WITHIN_MS + 6000);
    expect(former(fleet)).toBeUndefined();
  });

  it("reaches a client, too, that is being made while it changes", async () => {
    const fleet = await begin();
    // Its server has said that it can run it; the client's master answers late.
    fleet.member(1).clock.freeze(3000);
    const made = fleet.create("pair", { parts: [SERVER, CLIENT] });
    await fleet.time.pass(500);
    expect(fleet.record("pair")).toBeUndefined();
    await setAddress(fleet, "10.9.9.9");
    await fleet.time.pass(500);
    await made;
    await fleet.time.pass(6000);
    expect(dialled(fleet, "pair")).toBe("10.9.9.9");
    expect(fleet.member(1).order("pair", 1)?.url).toContain("@10.9.9.9:");
  });

  it("is brought on by the next leader, and waits while there is none to dial", async () => {
    const fleet = await begin({ hubs: 2 });
    await fleet.create("pair", { parts: [SERVER, CLIENT] });
    await fleet.time.pass(100);
    fleet.leader.kill(fleet.network);
    await setAddress(fleet, "");
    await setAddress(fleet, "10.9.9.9");
    await fleet.time.pass(1000);
    expect(dialled(fleet, "pair")).toBe("10.0.0.1");
    await fleet.time.pass(12_000);
    expect(dialled(fleet, "pair")).toBe("10.9.9.9");
    await fleet.time.pass(DIALLED_WITHIN_MS + 6000);
    await setAddress(fleet, "");
    await fleet.time.pass(6000);
    expect(dialled(fleet, "pair")).toBe("10.9.9.9");
    expect(former(fleet)).toEqual(["10.9.9.9"]);
  });

  it("does not part a client from a server that moves before it is known", async () => {
    const fleet = await begin({ hubs: 2 });
    await fleet.create("pair", { parts: [SERVER, CLIENT] });
    await fleet.time.pass(100);
    const other = fleet.hubs.find((hub) => hub !== fleet.leader);
    const leading = fleet.leader;
    leading.clock.freeze(60_000);
    await setAddress(fleet, "10.9.9.9");
    await fleet.time.pass(500);
    const move = { part: "server", to: "m2", force: true } as const;
    await fleet.time.until(other?.operations.move(ADMIN, "pair", move) ?? Promise.reject());
    await fleet.time.pass(20_000);
    expect(fleet.record("pair")?.parts[0]?.owner).toBe(midOf(2));
    expect(dialled(fleet, "pair")).toBe("10.0.0.3");
  });
});
