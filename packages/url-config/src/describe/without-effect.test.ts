import { describe, expect, it } from "vitest";
import { describeParameters } from "../parameters.ts";
import { parse, parseTunnelUrl, parseTunnelUrlLenient } from "../parse-url.ts";
import { withoutEffect } from "./without-effect.ts";

/** A value of each parameter that is not its default. */
const values: Readonly<Record<string, string>> = {
  ...{ log: "debug", tls: "1", crt: "/a.pem", key: "/b.pem", min: "2", max: "9", mode: "2" },
  ...{ read: "1h", rate: "5", proxy: "1", slot: "7", dns: "1s", sni: "a.example", dial: "::1" },
  ...{ block: "1", type: "2", clients: "2", lanes: "0", path: "/x", front: "2", via: "env" },
  ...{ compat: "0", allow: "10.0.0.1", deny: "10.0.0.2", lbs: "1", sticky: "1" },
  ...{ trust: "10.0.0.3", rateconn: "5", slotip: "5", udpidle: "1s", quota: "1GB", quotaday: "3" },
  ...{ host: "a.example", ban: "1", notcp: "1", noudp: "1", ui: "0", mcp: "0" },
};

/** The names of the settings without effect, each with its reason. */
function idle(url: string): Record<string, string> {
  return Object.fromEntries(withoutEffect(parse(url)).map(({ name, why }) => [name, why]));
}

/** A URL with every one of these parameters away from its default. */
function all(beginning: string, scheme: "server" | "client" | "master", except: string): string {
  const names = describeParameters()
    .filter(({ name, schemes }) => schemes.includes(scheme) && !except.split(" ").includes(name))
    .map(({ name }) => `${name}=${encodeURIComponent(values[name] ?? "")}`);
  return `${beginning}${names.join("&")}`;
}

describe("withoutEffect", () => {
  it("has a value for every parameter here", () => {
    const names = describeParameters().map(({ name }) => name);
    expect(Object.keys(values).sort()).toEqual([...names].sort());
  });

  // Of all parameters at once, but those that are errors there or switch others off.
  const off = "notcp noudp";
  it.each([
    [
      all("server://k@:1/:2?mode=1&", "server", `mode sticky ${off}`),
      {
        ...{ crt: "noFiles", key: "noFiles", quotaday: "noMonth" },
        ...{ proxy: "dialsElsewhere", dns: "dialsElsewhere", dial: "dialsElsewhere" },
      },
    ],
    [
      all("server://k@:1/h:2?mode=2&", "server", `mode trust host ${off}`),
      {
        ...{ crt: "noFiles", key: "noFiles", quotaday: "noMonth" },
        ...{ block: "usersElsewhere", sticky: "noChoice" },
      },
    ],
    [
      all("client://k@:1/h:2?mode=1&noudp=1&", "client", `mode ${off}`),
      {
        ...{ min: "noServer", sni: "noServer", path: "noServer", front: "noServer" },
        ...{ compat: "noServer", lbs: "noChoice", sticky: "noChoice" },
        ...{ quotaday: "noMonth", udpidle: "noUdp" },
      },
    ],
    [
      all("client://k@s:1/h:2,h:3?mode=2&notcp=1&quota=1GB/month&", "client", `mode quota ${off}`),
      { read: "noTcp", proxy: "noTcp", block: "noTcp" },
    ],
    [all("master://:1/api?", "master", "tls"), { crt: "noFiles", key: "noFiles" }],
  ])("%s", (url, expected) => {
    expect(idle(url)).toEqual(expected);
  });

  it.each([
    "server://k@:1/h:2,h:3?mode=2&lbs=2&sticky=1&proxy=2&notcp=1",
    "server://k@:1/:2?mode=1&block=1&clients=2&lbs=1&tls=2&crt=/a&key=/b",
    "server://k@:1/h:2,h:3?lbs=1&proxy=1&block=12&dial=::1",
    "client://k@:1/h:2?min=9&sni=a.example",
    // What dashboards write into every URL.
    "server://k@:1/:2?mode=1&log=info&lbs=0&proxy=0&dial=auto&dns=5m&block=0&sticky=0&quotaday=1",
    "client://:1/h:2?mode=1&min=64&sni=none&front=0&path=/&compat=1",
  ])("has nothing against %s", (url) => {
    expect(idle(url)).toEqual({});
  });

  it("leaves out what a master hands down", () => {
    const defaults = { crt: "/etc/tls.crt", keyFile: "/etc/tls.key" };
    const { warnings } = parseTunnelUrlLenient("server://k@:1/:2?mode=1&tls=1", { defaults });
    expect(warnings).toEqual([]);
  });

  it("is a warning of lenient reading, with a code of its own, and no error of any", () => {
    const url = "server://k@:1/:2?mode=1&proxy=1&crt=/etc/tls.crt";
    expect(parseTunnelUrl(url)).toMatchObject({ proxy: true });
    expect(parseTunnelUrlLenient(url).warnings).toMatchObject([
      {
        code: "NO_EFFECT",
        parameter: "crt",
        message: expect.stringMatching(/^crt has no effect: .*tls=2/),
      },
      {
        code: "NO_EFFECT",
        parameter: "proxy",
        value: "1",
        message: "proxy=1 has no effect: with mode=1 the client dials the targets",
      },
    ]);
  });
});
