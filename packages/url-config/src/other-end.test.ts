import fc from "fast-check";
import { expect, test } from "vitest";
import { clientSettings, serverSettings } from "../test/support/arbitrary-settings.ts";
import { type OtherEndOptions, urlForOtherEnd } from "./other-end.ts";
import { parse, parseTunnelUrl } from "./parse-url.ts";

test.each<[string, OtherEndOptions, string | undefined]>([
  ["server://:10101/127.0.0.1:8080", {}, "client://<server-host>:10101/<target-host:port>?mode=2"],
  [
    "server://k%40y@192.0.2.1:10101/:8080?mode=1&tls=1",
    {},
    "client://k%40y@192.0.2.1:10101/<target-host:port>?mode=2",
  ],
  [
    "server://:10101/db.example:5432?compat=0&noudp=1",
    { host: "2001:db8::1" },
    "client://[2001:db8::1]:10101/<listen-host:port>?mode=2&compat=0&noudp=1",
  ],
  [
    "server://:0/127.0.0.1:80?mode=2",
    { host: "h" },
    "client://h:<tunnel-port>/<listen-host:port>?mode=2",
  ],
  [
    "client://key@vps.example:10101/127.0.0.1:22",
    {},
    "server://key@:10101/<listen-host:port>?mode=1&tls=1",
  ],
  [
    "client://vps.example:10101/127.0.0.1:22?notcp=1",
    { flow: "forward" },
    "server://:10101/<target-host:port>?mode=2&tls=1&notcp=1",
  ],
  [
    "client://127.0.0.1:10101/:22?mode=2",
    {},
    "server://127.0.0.1:10101/<target-host:port>?mode=2&tls=1",
  ],
  ["client://:10101/127.0.0.1:22?mode=1", {}, undefined],
])("%s %o", (url, options, other) => {
  expect(urlForOtherEnd(parseTunnelUrl(url), options)).toBe(other);
});

test("with its placeholders filled in, it is a URL that meets the first one", () => {
  fc.assert(
    fc.property(fc.oneof(serverSettings, clientSettings), (settings) => {
      const text = urlForOtherEnd(settings);
      if (text === undefined) {
        expect(settings).toMatchObject({ scheme: "client", mode: 1 });
        return;
      }
      const url = text.replace("<server-host>", "h").replace(/<(target|listen)-host:port>/, "t:2");
      expect(parse(url)).toMatchObject({
        key: settings.key,
        keyGiven: settings.keyGiven,
        tunnel: { port: settings.tunnel.port },
        tcp: settings.tcp,
        udp: settings.udp,
        compat: settings.compat,
      });
    }),
  );
});
