import { describe, expect, it } from "vitest";
import { findMaster } from "./find-master.ts";

const MID = "0123456789abcdef";
const places = { prefix: "/api", suffix: "gw.example" };
const find = (url: string) => findMaster(url, places);

describe("a master", () => {
  it.each([
    [`http://hub/api/masters/${MID}/api/info?a=%2F`, "/api/info?a=%2F", true],
    [`http://hub/api/v1/masters/${MID}/api/v1/info`, "/api/v1/info", true],
    [`http://hub/api/masters/${MID}/`, "/", true],
    [`http://hub/api/masters/${MID}`, "", true],
    [`http://hub/api/masters/${MID}?x`, "?x", true],
    [`http://hub/api/masters/${MID}//evil/x`, "//evil/x", true],
    [`https://${MID}.gw.example/api/info?x`, "/api/info?x", false],
    [`https://${MID.toUpperCase()}.GW.example.:8443/`, "/", false],
    // By its name everything is its own, whatever the path looks like.
    [
      `http://${MID}.gw.example/api/masters/1111111111111111/x`,
      "/api/masters/1111111111111111/x",
      false,
    ],
  ])("is found in %s", (url, target, underPath) => {
    expect(find(url)).toEqual({ mid: MID, target, underPath });
  });

  it.each([
    "http://hub/api/fleet/masters",
    `http://hub/masters/${MID}/x`,
    `http://hub/api/v2/masters/${MID}/x`,
    "http://hub/api/masters",
    "http://gw.example/",
    "http://www.gw.example/api",
    `http://x${MID}.gw.example/`,
    `http://${MID}.gw.example.evil/`,
    `http://${MID}/`,
  ])("is not in %s", (url) => {
    expect(find(url)).toBeUndefined();
  });

  it("has no host name where the hub has no suffix", () => {
    const url = `http://${MID}.gw.example/api`;
    expect(findMaster(url, { prefix: "/api", suffix: "" })).toBeUndefined();
  });
});
