import { describe, expect, test } from "vitest";
import { proxyFromEnvironment } from "./proxy-environment.ts";

const to = { host: "tunnel.example.org", port: 443 };

function way(environment: Record<string, string>, host = to.host, port = to.port): string {
  const route = proxyFromEnvironment(environment, { host, port });
  if (route.kind === "direct") return "direct";
  if (route.kind === "fault") return route.message;
  return `${route.variable} ${route.proxy.protocol} ${route.proxy.host}:${route.proxy.port}`;
}

describe("proxyFromEnvironment", () => {
  test.each([
    [{}, "direct"],
    [{ HTTP_PROXY: "http://p:1", http_proxy: "http://p:1" }, "direct"],
    [{ HTTPS_PROXY: "http://p:1" }, "HTTPS_PROXY http p:1"],
    [{ HTTPS_PROXY: "p:1" }, "HTTPS_PROXY http p:1"],
    [{ HTTPS_PROXY: "p" }, "HTTPS_PROXY http p:80"],
    [{ ALL_PROXY: "socks5h://p" }, "ALL_PROXY socks5 p:1080"],
    [{ ALL_PROXY: "socks5://a:1", HTTPS_PROXY: "http://b:2" }, "HTTPS_PROXY http b:2"],
    [{ HTTPS_PROXY: "http://a:1", https_proxy: "http://b:2" }, "https_proxy http b:2"],
    [{ HTTPS_PROXY: "", ALL_PROXY: "http://b:2" }, "ALL_PROXY http b:2"],
    [{ HTTPS_PROXY: "https://p:1" }, "HTTPS_PROXY has the scheme https, which is not supported"],
    [{ HTTPS_PROXY: "http://u:hunter2@" }, "HTTPS_PROXY has no usable host and port"],
  ])("%j", (environment, wanted) => {
    expect(way(environment)).toBe(wanted);
  });

  test.each([
    ["*", "tunnel.example.org", true],
    ["example.org", "tunnel.example.org", true],
    [".example.org", "tunnel.example.org", true],
    ["*.example.org", "tunnel.example.org", true],
    ["EXAMPLE.org", "Tunnel.Example.ORG.", true],
    ["example.org", "example.org", true],
    ["ample.org", "tunnel.example.org", false],
    ["other, example.org", "tunnel.example.org", true],
    ["other example.org", "tunnel.example.org", true],
    ["example.org:443", "tunnel.example.org", true],
    ["example.org:80", "tunnel.example.org", false],
    ["", "tunnel.example.org", false],
    [",", "tunnel.example.org", false],
    [".", "tunnel.example.org", false],
    ["10.0.0.1", "10.0.0.1", true],
    ["10.0.0.1", "10.0.0.10", false],
    ["10.0.0.0/8", "10.200.3.4", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["10.0.0.1/33", "10.0.0.1", false],
    ["0.1", "10.0.0.1", false],
    ["192.0.2.0/31:443", "192.0.2.1", true],
    ["[2001:db8::]:443", "2001:db8::", true],
    ["2001:db8::/32", "2001:DB8:1::5", true],
    ["2001:db8::/32", "2001:db9::", false],
    ["::1", "0:0:0:0:0:0:0:1", true],
    ["::1", "127.0.0.1", false],
  ])("NO_PROXY %s for %s: %s", (exceptions, host, excepted) => {
    const wanted = excepted ? "direct" : "ALL_PROXY http p:1";
    expect(way({ ALL_PROXY: "http://p:1", NO_PROXY: exceptions }, host)).toBe(wanted);
    expect(way({ ALL_PROXY: "http://p:1", no_proxy: exceptions, NO_PROXY: "*" }, host)).toBe(
      wanted,
    );
  });
});

test("no message holds a user or password", () => {
  for (const value of [
    "ftp://hunter2:hunter2@p",
    "http://u:hunter2@p:99999",
    "http://hunter2:%zz@p",
  ]) {
    expect(way({ ALL_PROXY: value })).not.toContain("hunter2");
  }
});
