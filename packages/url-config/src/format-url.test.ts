import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anySettings } from "../test/support/arbitrary-settings.ts";
import { format } from "./format-url.ts";
import { parse, parseLenient } from "./parse-url.ts";

describe("format", () => {
  test.each([
    [
      "server://:10101/127.0.0.1:8080",
      "server://:10101/127.0.0.1:8080?block=0&clients=1&compat=1&dial=auto&dns=5m0s&lanes=4&log=info&max=1024&mode=0" +
        "&notcp=0&noudp=0&path=%2F&proxy=0&rate=0&read=10m0s&slot=65536&tls=0&type=0",
    ],
    [
      "client://k%40y@[::1]:1/a:2,[fe80::1%25eth0]:3?notcp=1&noudp=1&block=31&rate=8&read=0&proxy=1",
      "client://k%40y@[::1]:1/a:2,[fe80::1%25eth0]:3?block=13&compat=1&dial=auto&dns=5m0s&front=0&log=info" +
        "&min=64&mode=0&notcp=1&noudp=1&path=%2F&proxy=1&rate=8&read=0s&slot=65536&sni=none&via=none",
    ],
    [
      "server://h:1/t:2?tls=2&crt=/etc/a b.pem&key=/k&dial=::1&compat=0",
      "server://h:1/t:2?block=0&clients=1&compat=0&crt=%2Fetc%2Fa%20b.pem&dial=%3A%3A1&dns=5m0s&key=%2Fk" +
        "&lanes=4&log=info&max=1024&mode=0&notcp=0&noudp=0&path=%2F&proxy=0&rate=0&read=10m0s&slot=65536&tls=2&type=0",
    ],
    [
      "client://k@a:1,[::1]:2/t:3",
      "client://k@a:1,[::1]:2/t:3?block=0&compat=1&dial=auto&dns=5m0s&front=0&log=info&min=64&mode=2" +
        "&notcp=0&noudp=0&path=%2F&proxy=0&rate=0&read=10m0s&slot=65536&sni=none&via=none",
    ],
    ["master://:9090", "master://:9090/api?log=info&mcp=1&tls=0&ui=1"],
    [
      "master://h:9090/x/?tls=2&crt=a&key=b&log=none",
      "master://h:9090/x?crt=a&key=b&log=none&mcp=1&tls=2&ui=1",
    ],
  ])("writes %s with every default", (url, canonical) => {
    expect(format(parse(url))).toBe(canonical);
    expect(format(parse(canonical))).toBe(canonical);
  });

  test("is undone by parse, for all settings, strict and lenient", () => {
    fc.assert(
      fc.property(anySettings, (settings) => {
        const url = format(settings);
        expect(parse(url)).toEqual(settings);
        const lenient = parseLenient(url);
        expect(lenient.settings).toEqual(settings);
        expect(lenient.warnings.filter(({ code }) => code !== "NO_EFFECT")).toEqual([]);
      }),
    );
  });

  test("undoes parse, for all canonical URLs", () => {
    fc.assert(
      fc.property(anySettings, (settings) => {
        const canonical = format(settings);
        expect(format(parse(canonical))).toBe(canonical);
      }),
    );
  });

  test("sorts the query and can be read as a generic URL where the host is given", () => {
    fc.assert(
      fc.property(anySettings, (settings) => {
        const canonical = format(settings);
        const query = new URLSearchParams(canonical.slice(canonical.indexOf("?")));
        const names = [...query.keys()];
        expect(names).toEqual([...names].sort());
        expect(new Set(names).size).toBe(names.length);
        const address = settings.scheme === "master" ? settings.listen : settings.tunnel;
        // The URL standard knows neither a port without a host nor IPv6 zones.
        if (address.host === "" || address.host.includes("%")) return;
        expect(new URL(canonical).searchParams.get("log")).toBe(settings.log);
      }),
    );
  });

  test("never turns a limit into none, nor throws at broken Unicode", () => {
    const settings = parse("server://k@:1/t:2");
    if (settings.scheme === "master") throw new Error("not a master");
    expect(format({ ...settings, rateBytesPerSecond: 1 })).toContain("rate=1&");
    expect(format({ ...settings, key: "a\ud800b" })).toContain("://a%EF%BF%BDb@");
  });
});
