import { parseSelector } from "@nodepass/model/fleet";
import { describe, expect, it } from "vitest";
import { type Candidate, type PlaceQuery, place } from "./place.ts";

const candidate = (mid: string, more: Partial<Candidate> = {}): Candidate => ({
  mid,
  name: mid,
  labels: {},
  status: "online",
  heard: true,
  allow: ["apply", "api", "read"],
  draining: false,
  instances: 0,
  parts: 0,
  ...more,
});

const query = (more: Partial<PlaceQuery> = {}): PlaceQuery => ({
  selector: parseSelector(more.selectorText ?? ""),
  selectorText: "",
  visible: [],
  exclude: new Set(),
  ...more,
});

const mids = (all: readonly Candidate[]) => all.map(({ mid }) => mid);

describe("place", () => {
  it("puts the one with the fewest instances first", () => {
    const all = [candidate("b", { instances: 2 }), candidate("c"), candidate("a")];
    expect(mids(place(all, query()).ranked)).toEqual(["a", "c", "b"]);
  });

  it("names each filter and how many it took away", () => {
    const labels = { region: "eu" };
    const all = [
      candidate("a", { labels, status: "lost" }),
      candidate("b", { labels, status: "lost" }),
      candidate("c", { labels, status: "late" }),
      candidate("d", { labels, status: "new" }),
      candidate("j", { labels, status: "late", heard: false }),
      candidate("e", { labels, allow: ["read"] }),
      candidate("f", { labels, draining: true }),
      candidate("g", { labels, parts: 500 }),
      candidate("h", { labels }),
      candidate("i"),
    ];
    expect(place(all, query({ selectorText: "region=eu", exclude: new Set(["h"]) }))).toEqual({
      ranked: [],
      reason:
        "9 masters match region=eu, 1 has had it already, 2 are lost, 1 has not been heard of yet: try again in some seconds, 1 is late, 1 has never been heard of, 1 does not allow apply, 1 is draining, 1 has 500 parts of services",
      away: true,
    });
    expect(place([candidate("e", { allow: [] })], query())).toMatchObject({
      reason: "1 master is there, 1 does not allow apply",
      away: false,
    });
  });

  it("takes who has room for one more part, however many instances it has of its own", () => {
    const all = [candidate("a", { parts: 499, instances: 2000 }), candidate("b", { parts: 500 })];
    expect(mids(place(all, query()).ranked)).toEqual(["a"]);
  });

  it("says that there is no other where one alone could be asked, and has it", () => {
    const exclude = new Set(["a"]);
    const all = [candidate("a", { labels: { site: "home" } })];
    const placed = { ranked: [], away: false };
    expect(place(all, query({ exclude }))).toEqual({
      ...placed,
      reason: "there is no other master",
    });
    expect(place(all, query({ exclude, selectorText: "site=home" }))).toEqual({
      ...placed,
      reason: "no other master matches site=home",
    });
    expect(place([], query({ exclude })).reason).toBe("0 masters are there");
  });

  it("knows nothing of who the caller may not see", () => {
    const all = [candidate("a", { labels: { team: "x" } }), candidate("b")];
    const placed = place(all, query({ visible: parseSelector("team=x") }));
    expect(mids(placed.ranked)).toEqual(["a"]);
    expect(placed.reason).toBe("1 master is there");
  });

  it("spreads over a label's values before it counts instances, and leaves out who has none", () => {
    const all = [
      candidate("a", { labels: { zone: "1" } }),
      candidate("b", { labels: { zone: "2" }, instances: 9 }),
      candidate("c"),
    ];
    const placed = place(all, query({ spread: { label: "zone", used: new Map([["1", 2]]) } }));
    expect(mids(placed.ranked)).toEqual(["b", "a"]);
    expect(placed.reason).toBe("3 masters are there, 1 has no label zone");
  });
});
