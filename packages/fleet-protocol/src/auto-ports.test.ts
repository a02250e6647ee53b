import { expect, it } from "vitest";
import { fillAutoPorts, isFilledIn } from "./auto-ports.ts";

const asked = "server://k:auto@0.0.0.0:auto/127.0.0.1:auto,10.0.0.1:80?mode=1&note=:auto";

it("puts ports where the addresses say auto, and nowhere else", () => {
  let next = 1000;
  const filled = fillAutoPorts("server://0.0.0.0:auto/127.0.0.1:auto?x=a:auto", () => next++);
  expect(filled).toBe("server://0.0.0.0:1000/127.0.0.1:1001?x=a:auto");
  expect(fillAutoPorts("client://auto/127.0.0.1:80", () => 1)).toBe("client://auto/127.0.0.1:80");
});

it("knows what is filled in from what is anything else", () => {
  const filled = "server://k:auto@0.0.0.0:1/127.0.0.1:65535,10.0.0.1:80?mode=1&note=:auto";
  expect(isFilledIn(asked, filled)).toBe(true);
  expect(isFilledIn("client://a:1/b:2", "client://a:1/b:2")).toBe(true);
  for (const other of [
    asked,
    "",
    `${filled}&x=1`,
    filled.replace(":1/", ":0/"),
    filled.replace(":65535", ":65536"),
    filled.replace(":65535", ":01"),
    filled.replace("10.0.0.1", "10.0.0.2"),
    filled.replace("0.0.0.0:1/", "0.0.0.0:1/169.254.169.254:80,"),
    filled.replace("mode=1", "mode=2"),
    filled.replace("k:auto@", "other:auto@"),
    filled.replace("server", "client"),
  ]) {
    expect(isFilledIn(asked, other), other).toBe(false);
  }
});
