import type { FleetMaster, Service } from "@nodepass/model/fleet";
import { expect, it } from "vitest";
import { findInFleet } from "./find-in-fleet.ts";
import { memberAddress } from "./member-address.ts";

const master = (mid: string, name: string) => ({ mid, name }) as FleetMaster;
const service = (sid: string, alias: string) => ({ sid, alias }) as Service;
const content = {
  masters: [master("aaaa000000000001", "edge"), master("aaaa000000000002", "both")],
  services: [service("bbbb0001", "web"), service("bbbb0002", "web"), service("cccc0001", "both")],
};

it.each([
  ["edge", "aaaa000000000001"],
  ["aaaa000000000002", "aaaa000000000002"],
  ["cccc", "cccc0001"],
])("finds %j", (name, id) => {
  const found = findInFleet(content, name);
  expect(found.master?.mid ?? found.service?.sid).toBe(id);
});

it.each([
  ["nothing", /^no master and no service "nothing"$/],
  ["web", /^"web" may be 2 services$/],
  ["aaaa", /^"aaaa" may be 2 masters$/],
  ["both", /^"both" may be a master or a service$/],
])("says why %j is none", (name, message) => {
  expect(() => findInFleet(content, name)).toThrow(message);
  expect(() => findInFleet(content, name)).toThrow(expect.objectContaining({ code: "NOT_FOUND" }));
});

it("addresses a member below the hub's prefix", () => {
  const hub = { origin: "https://hub", basePaths: ["/x/v1", "/x"] };
  expect(memberAddress(hub, "aaaa000000000001")).toEqual({
    origin: "https://hub",
    basePaths: ["/x/masters/aaaa000000000001/api/v1", "/x/masters/aaaa000000000001/api"],
  });
});
