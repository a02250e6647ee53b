import { expect, it } from "vitest";
import { apiUrl, type NetworkInterfaces, reachableAddress } from "./addresses.ts";

const of = (...addresses: string[]): NetworkInterfaces => ({
  any: addresses.map((address) => ({
    address,
    family: address.includes(":") ? "IPv6" : "IPv4",
    internal: address === "127.0.0.1" || address === "::1",
  })),
});

it.each([
  ["127.0.0.1", of("10.0.0.5"), "127.0.0.1"],
  ["10.0.0.9", of("10.0.0.5"), "10.0.0.9"],
  ["", of("127.0.0.1", "::1", "fe80::1", "2001:db8::1", "10.0.0.5"), "10.0.0.5"],
  ["0.0.0.0", of("127.0.0.1", "10.0.0.5"), "10.0.0.5"],
  ["::", of("::1", "fe80::1", "2001:db8::1"), "2001:db8::1"],
  ["", of("127.0.0.1", "fe80::1"), "127.0.0.1"],
  ["", { gone: undefined }, "127.0.0.1"],
])("finds %j with %j at %s", (host, interfaces, expected) => {
  expect(reachableAddress({ host, port: 9090 }, interfaces)).toEqual({
    host: expected,
    port: 9090,
  });
});

it("writes URLs, IPv6 in brackets", () => {
  expect(apiUrl({ host: "10.0.0.5", port: 80 }, "/api", false)).toBe("http://10.0.0.5:80/api");
  expect(apiUrl({ host: "2001:db8::1", port: 443 }, "/a/b", true)).toBe(
    "https://[2001:db8::1]:443/a/b",
  );
});
