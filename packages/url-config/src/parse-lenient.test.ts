import { describe, expect, test } from "vitest";
import { parse, parseLenient, parseTunnelUrlLenient } from "./parse-url.ts";

/** `parameter: what was taken` of every warning. */
function takenFrom(url: string): string[] {
  const overlooked = parseLenient(url).warnings.filter(({ code }) => code !== "NO_EFFECT");
  return overlooked.map(({ parameter, taken }) => `${parameter}: ${taken}`);
}

describe("what dashboards send is accepted", () => {
  test.each([
    [
      "server://:10101/127.0.0.1:80?log=inherit&tls=inherit",
      ["tls: the default 0 is used", "log: the default info is used"],
    ],
    ["client://h:1/t:2?log=warn&&mode=2", []],
    ["client://h:1/t:2?log=&mode=2", ["log: the default info is used"]],
    ["client://h:1/t:2?lbs=2", []],
    ["client://h:1/t:2?extend_target_address=a%3A1%2Cb%3A2", ["extend_target_address: ignored"]],
    ["server://:1/t:2?tls=2&cert=%2Fc&key=%2Fk", ["cert: ignored", "crt: tls=1 is used"]],
    ["client://:1/t:2?log=debug", []],
    ["server://:1/t:2?log=info&tls=0&max=1024&mode=0&notcp=0&noudp=1&type=0&block=0&lbs=0", []],
    ["client://h:1/t:2?mode=1&mode=2", ["mode: the first is used"]],
    [
      "server://:1/t:2?mode=x&slot=ten&rate=1.5&read=5&dns=abc&max=0&notcp=yes",
      [
        "mode: the default 0 is used",
        "max: the default 1024 is used",
        "read: the default 10m0s is used",
        "rate: the default 0 is used",
        "slot: the default 65536 is used",
        "dns: the default 5m0s is used",
        "notcp: the default 0 is used",
      ],
    ],
    [
      "client://h:1/t:2?sni=&dial=&min=",
      [
        "min: the default 64 is used",
        "sni: the default none is used",
        "dial: the default auto is used",
      ],
    ],
    ["server://:1/t:2?crt=", ["crt: not used"]],
    [
      "server://:1/t:2?slot=9999999&read=8760h",
      ["read: 596h0m0s is used", "slot: 1000000 is used"],
    ],
    ["client://:1/t:2?mode=2", ["tunnel address: 127.0.0.1 is used"]],
    ["server://:1/t:2,, u:3,", ["target address: ignored", "target address: ignored"]],
    ["server://@:1/t:2", ["tunnel key: the key is derived from the port"]],
    ["server://:1/t:2?log=50%&slot=5#x", ["fragment: ignored", "log: ignored"]],
    ["master://k@:1?mode=1", ["tunnel key: ignored", "mode: ignored"]],
    ["server://:1/t:2?tls=2", ["crt: tls=1 is used", "key: tls=1 is used"]],
  ])("%s", (url, taken) => {
    expect(takenFrom(url).sort()).toEqual([...taken].sort());
  });

  test("each fallback is what the settings hold", () => {
    const url = "server://:1/t:2?mode=x&slot=ten&rate=1.5&read=5&dns=abc&max=0&notcp=yes&log=";
    expect(parseLenient(url).settings).toEqual(parse("server://:1/t:2"));
    expect(parseLenient("server://:1/t:2?slot=9999999&read=8760h").settings).toMatchObject({
      slot: 1_000_000,
      readTimeoutMs: 2_145_600_000,
    });
    expect(parseLenient("server://:1/t:2,, u:3,").settings).toEqual(parse("server://:1/t:2,u:3"));
    expect(parseLenient("client://:1/t:2?mode=2").settings).toMatchObject({
      tunnel: { host: "127.0.0.1", port: 1 },
    });
  });

  test("the message of a warning names the default that was taken", () => {
    const [warning] = parseLenient("server://:1/t:2?slot=ten").warnings;
    expect(warning?.message).toContain('slot "ten"');
    expect(warning?.message).toContain("the default 65536 is used");
  });
});

describe("an unescaped key", () => {
  test.each([
    ["p@ss", "p@ss"],
    ["p@ss/w?rd#", "p@ss/w?rd#"],
    ["100%", "100%"],
    ["a%20b", "a b"],
    ["a b", "a b"],
    ["user:password", "user"],
  ])("%s becomes %s", (written, key) => {
    const { settings } = parseLenient(`server://${written}@h:1/t:2?log=warn`);
    expect(settings).toMatchObject({
      key,
      keyGiven: true,
      log: "warn",
      tunnel: { host: "h", port: 1 },
    });
  });

  test("an @ in the query is no part of it", () => {
    const { settings, warnings } = parseLenient("server://k@h:1/t:2?crt=/a@b");
    expect(settings).toMatchObject({ key: "k", crt: "/a@b" });
    expect(warnings).toMatchObject([{ code: "NO_EFFECT", parameter: "crt" }]);
  });
});

describe("what nobody can run is still refused", () => {
  test.each([
    ["nonsense", "UNKNOWN_SCHEME"],
    ["http://:1/t:2", "UNKNOWN_SCHEME"],
    ["server://nonsense", "MISSING"],
    ["server://:1", "MISSING"],
    ["server://h/t:2", "MISSING"],
    ["server://h:70000/t:2", "INVALID_VALUE"],
    ["server://:1/t:2,u", "MISSING"],
    ["server://:1/,", "MISSING"],
    ["server://:1/127.0.0.1:1", "LOOP"],
    ["client://h:1/t:2?mode=1&via=env", "UNSUPPORTED"],
    ["server://:1/t:2\n?log=info", "MALFORMED"],
    ["master://:1/a%2Fb", "INVALID_VALUE"],
  ])("%j: %s", (url, code) => {
    expect(() => parseLenient(url)).toThrow(
      expect.objectContaining({
        name: "UrlConfigError",
        problems: expect.arrayContaining([expect.objectContaining({ code })]),
      }),
    );
  });

  test("a bad pool type is not an unsupported one", () => {
    expect(takenFrom("server://:1/t:2?type=9")).toEqual(["type: the default 0 is used"]);
  });

  test("a master where only tunnels may be", () => {
    expect(() => parseTunnelUrlLenient("master://:1")).toThrow(/server:\/\/, client:\/\//);
    expect(parseTunnelUrlLenient("client://:1/t:2").settings.scheme).toBe("client");
  });
});

test("inherit and empty values take what the master hands down", () => {
  const defaults = { log: "error", tls: 1 } as const;
  const { settings, warnings } = parseLenient("server://:1/t:2?log=inherit&tls=", { defaults });
  expect(settings).toMatchObject(defaults);
  expect(warnings.map(({ taken }) => taken).sort()).toEqual([
    "the default 1 is used",
    "the default error is used",
  ]);
});

test("what is right gives the same settings as a strict reading, and no warning", () => {
  const url = "server://k@[::1]:1/a:2,b:3?block=12&max=5&mode=1&read=1m&tls=1";
  expect(parseLenient(url)).toEqual({ settings: parse(url), warnings: [] });
});
