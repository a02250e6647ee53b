import { parseTunnelUrl } from "@nodepass/url-config";
import { describe, expect, it } from "vitest";
import { heldAddresses, overlaps, wantedAddresses } from "./address-book.ts";

const tcp = (host: string, port = 80) => ({ host, port, tcp: true, udp: false });
const udp = (host: string, port = 80) => ({ host, port, tcp: false, udp: true });

describe("overlaps", () => {
  it.each([
    ["127.0.0.1", "127.0.0.1"],
    ["", "127.0.0.1"],
    ["0.0.0.0", "10.0.0.1"],
    ["", "::1"],
    ["::", "127.0.0.1"],
    ["::1", "0:0:0:0:0:0:0:1"],
    ["Example.COM", "example.com."],
    ["localhost", "127.0.0.1"],
    ["0.0.0.0", "example.com"],
    ["", "::"],
  ])("TCP %j and %j can't both be bound", (one, other) => {
    expect(overlaps(tcp(one), tcp(other))).toBe(true);
    expect(overlaps(tcp(other), tcp(one))).toBe(true);
  });

  it.each([
    ["127.0.0.1", "127.0.0.2"],
    ["0.0.0.0", "::1"],
    ["::1", "127.0.0.1"],
    ["one.example", "two.example"],
  ])("TCP %j and %j can", (one, other) => {
    expect(overlaps(tcp(one), tcp(other))).toBe(false);
    expect(overlaps(tcp(other), tcp(one))).toBe(false);
  });

  it("keeps protocols and ports apart", () => {
    expect(overlaps(tcp(""), udp(""))).toBe(false);
    expect(overlaps(tcp("", 80), tcp("", 81))).toBe(false);
    expect(overlaps(udp(""), udp("127.0.0.1"))).toBe(true);
  });

  it("knows that UDP on [::] leaves IPv4 alone", () => {
    expect(overlaps(udp("::"), udp("127.0.0.1"))).toBe(false);
    expect(overlaps(udp("::"), udp("::1"))).toBe(true);
  });
});

describe("wantedAddresses", () => {
  const wanted = (url: string) =>
    wantedAddresses(parseTunnelUrl(url)).map(
      (at) => `${at.host}:${at.port}${at.tcp ? " tcp" : ""}${at.udp ? " udp" : ""}`,
    );

  it.each<[string, string[]]>([
    ["server://:1/10.0.0.1:2?mode=1", [":1 tcp", "10.0.0.1:2 tcp udp"]],
    ["server://:1/10.0.0.1:2?mode=1&noudp=1", [":1 tcp", "10.0.0.1:2 tcp"]],
    ["server://:1/10.0.0.1:2?mode=2", [":1 tcp"]],
    ["server://:1/10.0.0.1:2?mode=0", [":1 tcp"]],
    ["server://:0/10.0.0.1:0?mode=1", []],
    ["client://:1/10.0.0.1:2?mode=1&notcp=1", [":1 udp"]],
    ["client://:1/10.0.0.1:2?mode=0", []],
    ["client://10.0.0.2:1/10.0.0.1:2?mode=2", []],
  ])("%s", (url, expected) => {
    expect(wanted(url)).toEqual(expected);
  });
});

describe("heldAddresses", () => {
  it("takes what the tunnel says that it has bound", () => {
    const server = parseTunnelUrl("server://:1/10.0.0.1:2?notcp=1");
    const held = heldAddresses(server, { host: "", port: 1 }, { host: "10.0.0.1", port: 2 });
    expect(held).toEqual([
      {
        ...{ host: "", port: 1, tcp: true, udp: false },
        server: { key: server.key, type: 0, path: "/", tls: 0 },
      },
      { host: "10.0.0.1", port: 2, tcp: false, udp: true, names: [] },
    ]);
    expect(heldAddresses(server, undefined, undefined)).toEqual([]);
  });
});
