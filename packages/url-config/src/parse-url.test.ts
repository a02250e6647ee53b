import { describe, expect, test } from "vitest";
import { format } from "./format-url.ts";
import { parse, parseMasterUrl, parseTunnelUrl } from "./parse-url.ts";
import { UrlConfigError, type UrlProblem } from "./url-problem.ts";

/** What is wrong with the URL; fails if nothing is. */
function problemsOf(url: string): readonly UrlProblem[] {
  try {
    parse(url);
  } catch (error) {
    if (error instanceof UrlConfigError) return error.problems;
    throw error;
  }
  throw new Error(`${url} was accepted`);
}

/** `code parameter` of every problem. */
function faultsOf(url: string): string[] {
  return problemsOf(url).map(({ code, parameter }) => `${code} ${parameter}`);
}

describe("defaults", () => {
  const shared = {
    log: "info",
    key: "e68be2b4",
    keyGiven: false,
    tunnel: { host: "", port: 10_101 },
    targets: [{ host: "127.0.0.1", port: 8_080 }],
    readTimeoutMs: 600_000,
    rateBytesPerSecond: 0,
    rateDownBytesPerSecond: undefined,
    connectionRates: { upBytesPerSecond: 0, downBytesPerSecond: 0 },
    slotPerAddress: 0,
    udpIdleMs: 0,
    quota: undefined,
    quotaDay: 1,
    proxy: false,
    proxyVersion: 1,
    lbs: undefined,
    sticky: false,
    trust: [],
    slot: 65_536,
    dnsTtlMs: 300_000,
    dial: "auto",
    block: { socks: false, http: false, tls: false },
    tcp: true,
    udp: true,
    compat: true,
    path: "/",
    allow: [],
    deny: [],
  };

  test("a server has every default", () => {
    expect(parse("server://:10101/127.0.0.1:8080")).toStrictEqual({
      ...shared,
      scheme: "server",
      tls: 0,
      crt: undefined,
      keyFile: undefined,
      max: 1024,
      mode: 0,
      type: 0,
      clients: 1,
      lanes: 4,
      ban: false,
      hosts: [],
    });
  });

  test("a client has every default", () => {
    expect(parse("client://:10101/127.0.0.1:8080")).toStrictEqual({
      ...shared,
      scheme: "client",
      otherServers: [],
      min: 64,
      mode: 0,
      sni: undefined,
      front: 0,
      via: undefined,
    });
  });

  test("a client may name several servers, and is dual-end then", () => {
    expect(parse("client://k@a:1,[::1]:2,c:1/t:3")).toMatchObject({
      mode: 2,
      tunnel: { host: "a", port: 1 },
      otherServers: [
        { host: "::1", port: 2 },
        { host: "c", port: 1 },
      ],
    });
    // One port for all: the same key can be derived of it at each.
    expect(parse("client://a:1,b:1/t:3")).toMatchObject({ keyGiven: false });
  });

  test("a master has every default", () => {
    expect(parse("master://:9090")).toStrictEqual({
      scheme: "master",
      log: "info",
      listen: { host: "", port: 9_090 },
      prefix: "/api",
      allow: [],
      deny: [],
      tls: 0,
      crt: undefined,
      keyFile: undefined,
      mcp: 1,
      ui: true,
    });
  });
});

describe("ranges of ports", () => {
  test("are read and written", () => {
    const url = "client://127.0.0.1:8000-8010/127.0.0.1:9000-9010,[::1]:80?mode=1";
    const settings = parseTunnelUrl(url);
    expect(settings.tunnel).toEqual({ host: "127.0.0.1", port: 8000, lastPort: 8010 });
    expect(settings.targets).toEqual([
      { host: "127.0.0.1", port: 9000, lastPort: 9010 },
      { host: "::1", port: 80 },
    ]);
    expect(format(settings)).toContain(
      "client://127.0.0.1:8000-8010/127.0.0.1:9000-9010,[::1]:80?",
    );
  });

  test.each([
    ["client://:8010-8000/t:1?mode=1", /invalid range of ports/],
    ["client://:8000-8000/t:1?mode=1", /invalid range of ports/],
    ["client://:8000-70000/t:1?mode=1", /invalid range of ports/],
    ["client://:0-10/t:1?mode=1", /begins at port 0/],
    ["client://:1-5000/t:9000?mode=1", /has a range of 5000 ports/],
    ["client://:8000-8010/t:9000-9011?mode=1", /range of another size/],
    ["client://h:8000-8010/t:9000-9010?mode=2", /only a client with mode=1 takes there/],
    ["server://:8000-8010/t:9000-9010", /only a client with mode=1 takes there/],
    ["client://:1/t:2*0?mode=1", /has an invalid weight/],
    ["client://:1/t:2*101?mode=1", /weight 1 to 100/],
    ["server://:1/:2*3?mode=1", /but with mode=1 the client does/],
    ["server://:1/:2?mode=1&sticky=1", /but with mode=1 the client does/],
    ["server://:8005/:8000-8010?mode=1", /leads back to the tunnel's own port/],
  ])("%s is refused", (url, message) => {
    expect(() => parse(url)).toThrow(message);
  });
});

describe("every parameter reaches the settings", () => {
  const block = { socks: false, http: false, tls: false };

  test.each([
    ["log=debug", { log: "debug" }],
    ["log=none", { log: "none" }],
    ["read=1h30m", { readTimeoutMs: 5_400_000 }],
    ["read=100ms", { readTimeoutMs: 100 }],
    ["read=0", { readTimeoutMs: 0 }],
    ["read=596h", { readTimeoutMs: 2_145_600_000 }],
    ["rate=8", { rateBytesPerSecond: 1_000_000 }],
    ["rate=1000000", { rateBytesPerSecond: 125_000_000_000 }],
    ["rate=8/8", { rateBytesPerSecond: 1_000_000, rateDownBytesPerSecond: undefined }],
    ["rate=8/16", { rateBytesPerSecond: 1_000_000, rateDownBytesPerSecond: 2_000_000 }],
    ["rate=0/16", { rateBytesPerSecond: 0, rateDownBytesPerSecond: 2_000_000 }],
    ["rateconn=8/0", { connectionRates: { upBytesPerSecond: 1_000_000, downBytesPerSecond: 0 } }],
    ["quota=500GB/month", { quota: { bytes: 500e9, period: "month" }, quotaDay: 1 }],
    ["quota=1.5GiB/day", { quota: { bytes: 1.5 * 2 ** 30, period: "day" } }],
    ["quota=10MB&quotaday=28", { quota: { bytes: 10e6, period: "ever" }, quotaDay: 28 }],
    ["slotip=3", { slotPerAddress: 3 }],
    ["udpidle=1m30s", { udpIdleMs: 90_000 }],
    ["proxy=1", { proxy: true, proxyVersion: 1 }],
    ["proxy=2", { proxy: true, proxyVersion: 2 }],
    ["lbs=0", { lbs: 0 }],
    ["lbs=none&sticky=1", { lbs: undefined, sticky: true }],
    ["trust=10.0.0.0/8,::1", { trust: ["10.0.0.0/8", "::1"] }],
    ["slot=0", { slot: 0 }],
    ["slot=007", { slot: 7 }],
    ["dns=0s", { dnsTtlMs: 0 }],
    ["dns=1.5m", { dnsTtlMs: 90_000 }],
    ["dial=auto", { dial: "auto" }],
    ["dial=192.0.2.1", { dial: "192.0.2.1" }],
    ["dial=2001%3Adb8%3A%3A1", { dial: "2001:db8::1" }],
    ["block=0", { block }],
    ["block=2", { block: { ...block, http: true } }],
    ["block=31", { block: { ...block, socks: true, tls: true } }],
    ["block=0123", { block: { socks: true, http: true, tls: true } }],
    ["notcp=1", { tcp: false }],
    ["notcp=0", { tcp: true }],
    ["noudp=1", { udp: false }],
    ["compat=0", { compat: false }],
    ["mode=1", { mode: 1 }],
    ["mode=2", { mode: 2 }],
  ])("%s, of servers and clients", (query, settings) => {
    expect(parse(`server://h:1/t:2?${query}`)).toMatchObject(settings);
    expect(parse(`client://h:1/t:2?${query}`)).toMatchObject(settings);
  });

  test.each([
    ["type=0", { type: 0, tls: 0 }],
    ["type=1", { type: 1, tls: 1 }],
    ["type=2", { type: 2, tls: 0 }],
    ["type=3", { type: 3, tls: 1 }],
    ["type=3&tls=0", { type: 3, tls: 1 }],
    ["type=2&tls=1", { type: 2, tls: 1 }],
    ["type=1&tls=2&crt=a&key=b", { type: 1, tls: 2 }],
    ["clients=1024", { clients: 1024 }],
    ["lbs=none", { lbs: undefined }],
    ["lbs=0", { lbs: 0 }],
    ["lbs=2&clients=3", { lbs: 2, clients: 3 }],
  ])("%s, of servers", (query, settings) => {
    expect(parse(`server://h:1/t:2?${query}`)).toMatchObject(settings);
  });

  test.each([
    ["front=1", { front: 1 }],
    ["front=2", { front: 2 }],
    ["via=none", { via: undefined }],
    ["via=env", { via: "env" }],
    [
      "via=http://proxy.example:3128",
      { via: { protocol: "http", host: "proxy.example", port: 3128, credentials: undefined } },
    ],
    ["via=http://proxy", { via: { protocol: "http", host: "proxy", port: 80 } }],
    ["via=socks5h://[::1]/", { via: { protocol: "socks5", host: "::1", port: 1080 } }],
    [
      "via=SOCKS5%3A%2F%2Fuser%3Ap%2540ss%3Aword%40192.0.2.1%3A9050",
      {
        via: {
          protocol: "socks5",
          host: "192.0.2.1",
          port: 9050,
          credentials: { user: "user", password: "p@ss:word" },
        },
      },
    ],
    [
      "via=http://user@proxy:1",
      { via: { host: "proxy", credentials: { user: "user", password: "" } } },
    ],
    ["mode=1&noudp=1&via=env", { via: "env", udp: false }],
  ])("%s, of clients", (query, settings) => {
    expect(parse(`client://h:1/t:2?${query}`)).toMatchObject(settings);
  });

  test.each([
    ["path=/tunnel", { path: "/tunnel" }],
    ["path=%2Fa%2Fb-c_d.e~f%2F", { path: "/a/b-c_d.e~f/" }],
  ])("%s, of servers and clients", (query, settings) => {
    expect(parse(`server://h:1/t:2?${query}`)).toMatchObject(settings);
    expect(parse(`client://h:1/t:2?${query}`)).toMatchObject(settings);
  });

  test.each([
    ["tls=1", { tls: 1 }],
    ["tls=2&crt=/a+b&key=%2Fc%26", { tls: 2, crt: "/a b", keyFile: "/c&" }],
    ["crt=a", { tls: 0, crt: "a", keyFile: undefined }],
    ["log=event", { log: "event" }],
  ])("%s, of what listens", (query, settings) => {
    expect(parse(`server://h:1/t:2?${query}`)).toMatchObject(settings);
    expect(parse(`master://h:1?${query}`)).toMatchObject(settings);
  });

  test("max, type, min and sni", () => {
    expect(parse("server://h:1/t:2?max=7&type=0")).toMatchObject({ max: 7, type: 0 });
    expect(parse("client://h:1/t:2?min=1&sni=a.example")).toMatchObject({
      min: 1,
      sni: "a.example",
    });
    expect(parse("client://h:1/t:2?sni=none")).toMatchObject({ sni: undefined });
  });
});

describe("addresses and keys", () => {
  test.each([
    ["server://[::1]:1/[2001:db8::2]:2", "::1", [{ host: "2001:db8::2", port: 2 }]],
    ["server://0.0.0.0:1/:2", "0.0.0.0", [{ host: "", port: 2 }]],
    [
      "client://:1/a:2,[::1]:3,b:4",
      "",
      ["a", "::1", "b"].map((host, i) => ({ host, port: i + 2 })),
    ],
    ["server://127.0.0.1:0/127.0.0.1:0", "127.0.0.1", [{ host: "127.0.0.1", port: 0 }]],
    ["client://127.0.0.1:0/127.0.0.1:2?mode=1", "127.0.0.1", [{ host: "127.0.0.1", port: 2 }]],
    ["client://h:1/127.0.0.1:0?mode=2", "h", [{ host: "127.0.0.1", port: 0 }]],
  ])("reads %s", (url, host, targets) => {
    expect(parse(url)).toMatchObject({ tunnel: { host }, targets });
  });

  test.each([
    ["server://secret@h:1/t:2", "secret"],
    ["server://a%40b%3A%2F%3F%23@h:1/t:2", "a@b:/?#"],
    ["server://%E2%82%AC%20x@h:1/t:2", "€ x"],
    ["server://schlüssel@h:1/t:2", "schlüssel"],
    ["server://k+k@h:1/t:2", "k+k"],
  ])("takes the key of %s", (url, key) => {
    expect(parse(url)).toMatchObject({ key, keyGiven: true });
  });

  test("the scheme may be in capitals, and empty pairs and a bare ? carry nothing", () => {
    expect(parse("SERVER://:1/t:2?")).toEqual(parse("server://:1/t:2"));
    expect(parse("server://:1/t:2?&&log=warn&")).toEqual(parse("server://:1/t:2?log=warn"));
  });

  test.each([
    ["master://127.0.0.1:0", "/api"],
    ["master://[::1]:9090/", "/api"],
    ["master://:9090/admin/", "/admin"],
    ["master://:9090//a//b.c-d_e~/", "/a/b.c-d_e~"],
  ])("normalises the prefix of %s", (url, prefix) => {
    expect(parseMasterUrl(url).prefix).toBe(prefix);
  });
});

describe("refuses", () => {
  test.each([
    ["", "MALFORMED URL"],
    ["server://:1/t:2\n", "MALFORMED URL"],
    ["server://\ud800@:1/t:2", "MALFORMED URL"],
    [`server://:1/t:2?crt=${"a".repeat(65_536)}`, "MALFORMED URL"],
    ["server://:1/t:2#x", "MALFORMED fragment"],
    [`server://:1/t:2?${"a&".repeat(257)}`, "MALFORMED query"],
    ["nonsense", "UNKNOWN_SCHEME scheme"],
    ["server:/:1/t:2", "UNKNOWN_SCHEME scheme"],
    ["http://:1/t:2", "UNKNOWN_SCHEME scheme"],
    [" server://:1/t:2", "UNKNOWN_SCHEME scheme"],
    ["server:///t:2", "MISSING tunnel address"],
    ["server://k@/t:2", "MISSING tunnel address"],
    ["server://h/t:2", "MISSING tunnel address"],
    ["server://:/t:2", "MISSING tunnel address"],
    ["server://h:65536/t:2", "INVALID_VALUE tunnel address"],
    ["server://::1:80/t:2", "INVALID_VALUE tunnel address"],
    ["server://:1", "MISSING target address"],
    ["server://:1/", "MISSING target address"],
    ["server://:1/t", "MISSING target address"],
    ["server://:1/t:2,", "MISSING target address"],
    ["server://:1/t:2, u:3", "INVALID_VALUE target address"],
    ["server://:1/t:2/", "INVALID_VALUE target address"],
    ["client://:1/t:2?mode=2", "MISSING tunnel address"],
    ["client://h:0/t:2?mode=2", "INVALID_VALUE tunnel address"],
    ["client://k@a:1,b:0/t:2", "INVALID_VALUE tunnel address"],
    ["client://k@a:1,:2/t:2", "INVALID_VALUE tunnel address"],
    ["client://k@a:1,/t:2", "MISSING tunnel address"],
    ["client://k@a:1,b/t:2", "MISSING tunnel address"],
    ["client://k@a:1,A:1/t:2", "INVALID_VALUE tunnel address"],
    ["client://k@a:1,b:1/t:2?mode=1", "INVALID_VALUE tunnel address"],
    ["client://a:1,b:2/t:2", "INVALID_VALUE tunnel address"],
    ["client://k@a:1,127.0.0.1:2/:2", "LOOP target address"],
    ["server://k@a:1,b:1/t:2", "INVALID_VALUE tunnel address"],
    ["client://:1/t:0?mode=1", "INVALID_VALUE target address"],
    ["server://:1/t:0?mode=2", "INVALID_VALUE target address"],
    ["server://:1/t:2,u:0", "INVALID_VALUE target address"],
    ["server://@:1/t:2", "INVALID_VALUE tunnel key"],
    ["server://a:b@:1/t:2", "INVALID_VALUE tunnel key"],
    ["server://a@b@:1/t:2", "INVALID_VALUE tunnel key"],
    ["server://a/b@:1/t:2", "INVALID_VALUE tunnel key"],
    ["server://a?b@:1/t:2", "INVALID_VALUE tunnel key"],
    ["server://a%zz@:1/t:2", "INVALID_VALUE tunnel key"],
    ["server://a%ff@:1/t:2", "INVALID_VALUE tunnel key"],
    ["server://:1/t:2?foo=1", "UNKNOWN_PARAMETER foo"],
    ["server://:1/t:2?LOG=info", "UNKNOWN_PARAMETER LOG"],
    ["server://:1/t:2?mode=1&=5", "UNKNOWN_PARAMETER query"],
    ["server://:1/t:2?__proto__=1", "UNKNOWN_PARAMETER __proto__"],
    ["server://:1/t:2?min=1", "UNKNOWN_PARAMETER min"],
    ["server://:1/t:2?sni=a", "UNKNOWN_PARAMETER sni"],
    ["client://:1/t:2?tls=1", "UNKNOWN_PARAMETER tls"],
    ["client://:1/t:2?crt=1", "UNKNOWN_PARAMETER crt"],
    ["client://:1/t:2?key=1", "UNKNOWN_PARAMETER key"],
    ["client://:1/t:2?max=1", "UNKNOWN_PARAMETER max"],
    ["client://:1/t:2?type=0", "UNKNOWN_PARAMETER type"],
    ["master://:1?mode=0", "UNKNOWN_PARAMETER mode"],
    ["server://:1/t:2?mode=1&mode=1", "DUPLICATE mode"],
    ["server://:1/t:2?log", "INVALID_VALUE log"],
    ["server://:1/t:2?log=", "INVALID_VALUE log"],
    ["server://:1/t:2?log=INFO", "INVALID_VALUE log"],
    ["server://:1/t:2?log=inherit", "INVALID_VALUE log"],
    ["server://:1/t:2?log=%zz", "INVALID_VALUE log"],
    ["server://:1/t:2?tls=3", "INVALID_VALUE tls"],
    ["server://:1/t:2?tls=01", "INVALID_VALUE tls"],
    ["server://:1/t:2?crt=%00", "INVALID_VALUE crt"],
    ["server://:1/t:2?tls=2&key=a", "MISSING crt"],
    ["server://:1/t:2?tls=2&crt=a", "MISSING key"],
    ["server://:1/t:2?max=0", "INVALID_VALUE max"],
    ["server://:1/t:2?clients=0", "INVALID_VALUE clients"],
    ["server://:1/t:2?clients=1025", "INVALID_VALUE clients"],
    ["client://:1/t:2?clients=2", "UNKNOWN_PARAMETER clients"],
    ["server://:1/t:2?lbs=3", "INVALID_VALUE lbs"],
    ["server://:1/t:2?max=65536", "INVALID_VALUE max"],
    ["client://:1/t:2?min=0", "INVALID_VALUE min"],
    ["client://:1/t:2?min=x", "INVALID_VALUE min"],
    ["client://:1/t:2?sni=a%20b", "INVALID_VALUE sni"],
    ["server://:1/t:2?mode=3", "INVALID_VALUE mode"],
    ["server://:1/t:2?read=5", "INVALID_VALUE read"],
    ["server://:1/t:2?read=-5s", "INVALID_VALUE read"],
    ["server://:1/t:2?read=597h", "INVALID_VALUE read"],
    ["server://:1/t:2?read=9999999h", "INVALID_VALUE read"],
    ["server://:1/t:2?dns=abc", "INVALID_VALUE dns"],
    ["server://:1/t:2?rate=1.5", "INVALID_VALUE rate"],
    ["server://:1/t:2?rate=-1", "INVALID_VALUE rate"],
    ["server://:1/t:2?rate=1e3", "INVALID_VALUE rate"],
    ["server://:1/t:2?slot=ten", "INVALID_VALUE slot"],
    ["server://:1/t:2?slot=1000001", "INVALID_VALUE slot"],
    ["server://:1/t:2?proxy=3", "INVALID_VALUE proxy"],
    ["server://:1/t:2?dial=localhost", "INVALID_VALUE dial"],
    ["server://:1/t:2?dial=[::1]", "INVALID_VALUE dial"],
    ["server://:1/t:2?block=4", "INVALID_VALUE block"],
    ["server://:1/t:2?notcp=true", "INVALID_VALUE notcp"],
    ["server://:1/t:2?compat=yes", "INVALID_VALUE compat"],
    ["server://:1/t:2?type=4", "INVALID_VALUE type"],
    ["server://:1/t:2?type=4", "INVALID_VALUE type"],
    ["client://h:1/t:2?type=2", "UNKNOWN_PARAMETER type"],
    ["server://:1/t:2?path=tunnel", "INVALID_VALUE path"],
    ["server://:1/t:2?path=", "INVALID_VALUE path"],
    ["server://:1/t:2?path=//a", "INVALID_VALUE path"],
    ["server://:1/t:2?path=/a/../b", "INVALID_VALUE path"],
    ["server://:1/t:2?path=/.", "INVALID_VALUE path"],
    ["server://:1/t:2?path=/a%3Fb", "INVALID_VALUE path"],
    ["server://:1/t:2?path=/a%20b", "INVALID_VALUE path"],
    [`server://:1/t:2?path=/${"a".repeat(256)}`, "INVALID_VALUE path"],
    ["server://:1/t:2?front=2", "UNKNOWN_PARAMETER front"],
    ["client://h:1/t:2?front=3", "INVALID_VALUE front"],
    ["server://:1/t:2?via=env", "UNKNOWN_PARAMETER via"],
    ["client://h:1/t:2?via=proxy:8080", "INVALID_VALUE via"],
    ["client://h:1/t:2?via=https://proxy:8080", "INVALID_VALUE via"],
    ["client://h:1/t:2?via=http://", "INVALID_VALUE via"],
    ["client://h:1/t:2?via=http://:8080", "INVALID_VALUE via"],
    ["client://h:1/t:2?via=http://proxy:0", "INVALID_VALUE via"],
    ["client://h:1/t:2?via=http://proxy:8080/path", "INVALID_VALUE via"],
    ["client://h:1/t:2?via=http://@proxy:8080", "INVALID_VALUE via"],
    ["client://h:1/t:2?via=http://a%253Ab:c@proxy", "INVALID_VALUE via"],
    [`client://h:1/t:2?via=socks5://${"a".repeat(256)}@proxy`, "INVALID_VALUE via"],
    ["client://h:1/t:2?mode=1&via=env", "UNSUPPORTED via"],
    ["master://", "MISSING listen address"],
    ["master://127.0.0.1", "MISSING listen address"],
    ["master://:1/a/../b", "INVALID_VALUE prefix"],
    ["master://:1/:id/*", "INVALID_VALUE prefix"],
    ["master://k@:1", "UNKNOWN_PARAMETER tunnel key"],
  ])("%j: %s", (url, fault) => {
    expect(faultsOf(url)).toEqual([fault]);
  });

  test("every fault of a URL at once", () => {
    expect(
      faultsOf("server://a:b@h:99999/?foo=1&min=3&mode=7&type=2&log=&read=5&mode=1&tls=2"),
    ).toEqual([
      "INVALID_VALUE tunnel address",
      "INVALID_VALUE tunnel key",
      "MISSING target address",
      "UNKNOWN_PARAMETER foo",
      "UNKNOWN_PARAMETER min",
      "DUPLICATE mode",
      "INVALID_VALUE mode",
      "INVALID_VALUE log",
      "INVALID_VALUE read",
      "MISSING crt",
      "MISSING key",
    ]);
  });

  test("the wrong kind of URL where one kind is asked for", () => {
    expect(() => parseTunnelUrl("master://:1")).toThrow(/server:\/\/, client:\/\//);
    expect(() => parseMasterUrl("server://:1/t:2")).toThrow(UrlConfigError);
  });
});

describe("loops", () => {
  test.each([
    "server://:80/:80",
    "server://:80/127.0.0.1:80",
    "server://127.0.0.1:80/localhost:80",
    "server://192.0.2.1:80/[::1]:80",
    "server://192.0.2.1:80/0.0.0.0:80?mode=2",
    "server://a.example:80/A.example.:80",
    "server://:80/t:81,127.0.0.2:80",
    "client://127.0.0.1:80/127.0.0.1:80?mode=2",
    "client://h:80/127.0.0.1:80",
    "client://h:80/127.0.0.1:80?mode=1",
    "client://h:80/h:80?mode=2",
    "client://:80/[::ffff:127.0.0.1]:80",
  ])("%s is one", (url) => {
    expect(faultsOf(url)).toEqual(["LOOP target address"]);
  });

  test.each([
    "server://:80/192.0.2.1:80",
    "server://:0/:0",
    "server://127.0.0.1:80/127.0.0.1:81",
    "client://h:80/127.0.0.1:80?mode=2",
    "client://:80/192.0.2.1:80?mode=1",
  ])("%s is none", (url) => {
    expect(parse(url)).toHaveProperty("targets");
  });
});

describe("problems", () => {
  test("name the parameter, the value and what is allowed", () => {
    expect(problemsOf("server://:1/t:2?mode=7")).toEqual([
      {
        code: "INVALID_VALUE",
        parameter: "mode",
        value: "7",
        allowed: "0, 1, 2",
        message: 'mode "7" is not valid (allowed: 0, 1, 2)',
      },
    ]);
  });

  test("say which scheme has a parameter, and what may have been meant", () => {
    expect(() => parse("server://:1/t:2?min=1")).toThrow(/only of client URLs/);
    expect(() => parse("client://:1/t:2?tls=1")).toThrow(/only of server and master URLs/);
    expect(() => parse("server://:1/t:2?slots=1")).toThrow(/did you mean slot\?/);
    expect(() => parse("server://:1/t:2?cert=1")).toThrow(/did you mean crt\?/);
  });

  test("escape what could confuse a terminal, and cut what is long", () => {
    expect(() => parse("server://:1/t:2?mode=%1B[31m")).toThrow(/mode "\\u001b\[31m"/);
    const [problem] = problemsOf(`server://:1/t:2?mode=${"7".repeat(5_000)}`);
    expect(problem?.value).toHaveLength(5_000);
    expect(problem?.message.length).toBeLessThan(300);
    const many = Array.from({ length: 200 }, (_, i) => `x${i}=1`).join("&");
    expect(problemsOf(`server://:1/t:2?${many}`)).toHaveLength(200);
    expect(() => parse(`server://:1/t:2?${many}`)).toThrow(/and 180 more$/);
  });

  test("hide the values of what looks like a secret", () => {
    for (const url of ["server://:1/t:2?password=hunter2", "server://:1/t:2?token=hunter2%zz"]) {
      expect(JSON.stringify(problemsOf(url))).not.toContain("hunter2");
    }
  });
});

test("defaults that are handed down fill what the URL lacks, where the scheme has it", () => {
  const defaults = { log: "warn", tls: 2, crt: "/c", keyFile: "/k" } as const;
  expect(parse("server://:1/t:2", { defaults })).toMatchObject(defaults);
  expect(parse("server://:1/t:2?log=debug&tls=0", { defaults })).toMatchObject({
    log: "debug",
    tls: 0,
  });
  expect(parse("client://:1/t:2", { defaults })).toMatchObject({ log: "warn" });
  expect(parse("client://:1/t:2", { defaults })).not.toHaveProperty("tls");
});

test("a value without a name is told as such", () => {
  expect(() => parse("server://:1/t:2?mode=1&=5")).toThrow(
    /^query "=5" has no name \(allowed: name=value\)$/,
  );
});
