import { describe, expect, it } from "vitest";
import { parseTunnelUrlLenient } from "./parse-url.ts";
import { formatUrlFields, readUrlFields } from "./url-fields.ts";

describe("readUrlFields", () => {
  it("takes a URL apart and fills nothing in", () => {
    expect(
      readUrlFields("server://p%40ss@[::1]:10101/a:1, b:2?mode=1&&log=&x=%2Fy&mode=2"),
    ).toEqual({
      scheme: "server",
      key: "p@ss",
      tunnel: { host: "::1", port: 10101 },
      targets: [
        { host: "a", port: 1 },
        { host: "b", port: 2 },
      ],
      parameters: { mode: "1", log: "", x: "/y" },
    });
    expect(readUrlFields("client://:1/:2")).toMatchObject({ key: undefined, parameters: {} });
  });

  it.each([
    ["master://:9090", /scheme "master:\/\/".*server:\/\/, client:\/\//],
    ["no url", /scheme/],
    ["server://:x/:2", /tunnel address ":x" has an invalid port/],
    ["server://:1/", /target address.*host:port/],
    ["server://:1/a_b@:2/c", /address/],
  ])("refuses %s and says what is allowed", (url, message) => {
    expect(() => readUrlFields(url)).toThrow(
      expect.objectContaining({ code: "INVALID_URL", message: expect.stringMatching(message) }),
    );
  });

  it("leaves a broken escape as it is written", () => {
    expect(readUrlFields("client://:1/:2?sni=50%").parameters).toEqual({ sni: "50%" });
  });

  it("has no name that an object brings along", () => {
    const { parameters } = readUrlFields("client://:1/:2?__proto__=a&constructor=b");
    expect(Object.entries(parameters)).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
    ]);
  });
});

describe("formatUrlFields", () => {
  it.each([
    "server://p%40s%2Fs@[::1]:10101/a:1,b:2?mode=1&log=&x=%2Fy",
    "client://h:1/[fe80::1%25eth0]:2",
    "client://:0/:2?sni=%20%26%3D",
  ])("writes %s as it was", (url) => {
    expect(formatUrlFields(readUrlFields(url))).toBe(url);
  });

  it("means the same to the parser, however the URL was written", () => {
    for (const url of [
      "server://a&b@c@:1/t:2?tls=inherit&&mode=2&unknown=%20x",
      "client://user:word@h:1/t:2,u:3?via=socks5%3A%2F%2Fa%3Ab%40p%3A1&notcp=0",
      "client://pw%zz@h:1/t:2",
    ]) {
      const again = formatUrlFields(readUrlFields(url));
      expect(parseTunnelUrlLenient(again).settings).toEqual(parseTunnelUrlLenient(url).settings);
    }
  });
});
