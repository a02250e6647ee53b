import { parseTunnelUrl } from "@nodepass/url-config";
import { describe, expect, it } from "vitest";
import { dialledAddresses, readTargets } from "./targets.ts";

describe("targets", () => {
  it("are any where nothing is said, or that", () => {
    expect(readTargets(undefined)).toBeUndefined();
    expect(readTargets(" any ")?.admits("192.0.2.1")).toBe(true);
  });

  it.each([
    ["10.1.2.3", true],
    ["11.1.2.3", false],
    ["2001:db8::1", true],
    ["2001:db9::1", false],
    ["::ffff:10.0.0.1", true],
    ["192.0.2.7", true],
    ["192.0.2.8", false],
    ["db.internal", true],
    ["DB.internal.", true],
    ["x.db.internal", false],
    ["a.b.example.com", true],
    ["example.com", false],
    ["notexample.com", false],
    ["", false],
  ])("admit %j: %s", (host, admitted) => {
    const text = "10.0.0.0/8, 2001:db8::/32,192.0.2.7,db.internal,*.example.com,";
    expect(readTargets(text)?.admits(host)).toBe(admitted);
  });

  it("an empty host is this machine", () => {
    expect(readTargets("127.0.0.0/8")?.admits("")).toBe(true);
    expect(readTargets("localhost")?.admits("")).toBe(true);
  });

  it.each(["10.0.0.0/33", "10.0.0.0/x", "::/129", "a b", "-x", "1.2.3.4/8/9"])(
    "%j is refused by name",
    (item) => {
      expect(() => readTargets(item)).toThrow(JSON.stringify(item));
    },
  );
});

describe("what a tunnel dials", () => {
  it.each([
    ["server://0.0.0.0:10/10.0.0.1:80,10.0.0.2:80", ["10.0.0.1", "10.0.0.2"]],
    ["server://0.0.0.0:10/0.0.0.0:80?mode=1", []],
    ["client://10.0.0.9:10/127.0.0.1:80?mode=2", ["10.0.0.9", "127.0.0.1"]],
    ["client://0.0.0.0:10/10.0.0.1:80?mode=1", ["10.0.0.1"]],
    ["client://key@a:10,b:11/c:80?mode=2", ["a", "b", "c"]],
    ["client://a:10/c:80?mode=2&via=socks5://p:1080", ["a", "c", "p"]],
  ])("%s", (url, hosts) => {
    const settings = parseTunnelUrl(url);
    expect(dialledAddresses(settings).map(({ host }) => host)).toEqual(hosts);
  });
});
