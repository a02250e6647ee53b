import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anySettings } from "../test/support/arbitrary-settings.ts";
import { format } from "./format-url.ts";
import { formatHostPort } from "./host-port.ts";
import { parse, parseLenient } from "./parse-url.ts";
import { redact } from "./redact.ts";
import { UrlConfigError } from "./url-problem.ts";

describe("redact", () => {
  test.each([
    ["server://key@h:1/t:2?log=info", "server://***@h:1/t:2?log=info"],
    ["client://k%40y@[::1]:1/t:2", "client://***@[::1]:1/t:2"],
    ["server://:1/t:2?crt=/a@b.pem", "server://:1/t:2?crt=/a@b.pem"],
    ["server://key@:1/t:2?crt=/a@b.pem#f", "server://***@:1/t:2?crt=/a@b.pem#f"],
    ["master://h:1/api?crt=/a@b.pem", "master://h:1/api?crt=/a@b.pem"],
    ["server://a@b@h:1/t:2", "server://***@h:1/t:2"],
    ["server://a/b@h:1/t:2", "server://***@h:1/t:2"],
    ["server://a?b@h:1/t:2", "server://***@h:1/t:2"],
    ["server://a#b@h:1/t:2", "server://***@h:1/t:2"],
    ["server://a@b?c@h:1/t:2", "server://***@h:1/t:2"],
    ["server://user:pass@h:1/t:2", "server://***@h:1/t:2"],
    ["http://key@h", "http://***@h"],
    ["key@h:1/t:2", "***@h:1/t:2"],
    ["server:/key@h:1", "***@h:1"],
    ["server://key@", "server://***@"],
    [
      "server://h:1/t:2?log=info&password=x&secret=y",
      "server://h:1/t:2?log=info&password=***&secret=***",
    ],
    ["client://h:1/t:2?via=none&log=info", "client://h:1/t:2?via=none&log=info"],
    ["client://h:1/t:2?via=http://p:3128&min=1", "client://h:1/t:2?via=http://p:3128&min=1"],
    ["client://h:1/t:2?via=http://u:secret@p:3128", "client://h:1/t:2?via=http://***@p:3128"],
    [
      "client://h:1/t:2?via=socks5%3A%2F%2Fu%3Asecret%40p",
      "client://h:1/t:2?via=socks5://***@p:1080",
    ],
    ["client://k@h:1/t:2?VIA=http://secret:x@p", "client://***@h:1/t:2?VIA=http://***@p:80"],
    ["client://h:1/t:2?v%69a=http://u:secret@p", "client://h:1/t:2?v%69a=http://***@p:80"],
    ["client://h:1/t:2?via=http://u:sec@ret@p:1", "client://h:1/t:2?via=http://***@p:1"],
    ["client://h:1/t:2?via=http://u:sec&ret@p:1&min=2", "client://h:1/t:2?via=***"],
    ["client://h:1/t:2?via=http://u:12&3secret@p:1", "client://h:1/t:2?via=***"],
    ["client://h:1/t:2?via=http://u:12&3secret%40p:1", "client://h:1/t:2?via=***"],
    ["client://h:1/t:2?via=http://u:12#3secret@p:1", "client://h:1/t:2?via=***#***"],
    ["client://h:1/t:2?via=http://u:secret", "client://h:1/t:2?via=***"],
    ["client://h:1/t:2?via=ftp://u:secret@p", "client://h:1/t:2?via=***"],
    ["client://h:1/t:2?via=http://u:%zzsecret@p", "client://h:1/t:2?via=***"],
    ["", ""],
    ["nonsense", "nonsense"],
    [
      "server://key@<server-host>:1/<target-host:port>",
      "server://***@<server-host>:1/<target-host:port>",
    ],
  ])("%s becomes %s", (url, redacted) => {
    expect(redact(url)).toBe(redacted);
  });

  test("keeps all of a canonical URL but its key, and hides nothing twice", () => {
    fc.assert(
      fc.property(anySettings, (settings) => {
        const url = format(settings);
        const at = settings.scheme !== "master" && settings.keyGiven ? url.indexOf("@") : -1;
        const shown = at < 0 ? url : `${url.slice(0, url.indexOf("://") + 3)}***${url.slice(at)}`;
        const via = settings.scheme === "client" ? settings.via : undefined;
        const secret = typeof via === "object" && via.credentials !== undefined;
        const address = typeof via === "object" && formatHostPort(via);
        const expected = secret
          ? shown.replace(/([?&])via=[^&]*/, `$1via=${via.protocol}://***@${address}`)
          : shown;
        expect(redact(url)).toBe(expected);
        expect(redact(redact(url))).toBe(redact(url));
      }),
    );
  });

  test("never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(typeof redact(text)).toBe("string");
      }),
    );
  });
});

describe("no key gets out, however it is written and whatever else is wrong", () => {
  // Letters that no other part of the URLs below has.
  const secret = fc.stringMatching(/^QXZ[QXZ]{6,12}$/);
  const noise = fc.string({ unit: fc.constantFrom(..."@/?#:%&=. +ä$\\[]{}<>\"'") });
  const rest = fc.constantFrom(
    "h:1/t:2",
    ":1/:1",
    "[::1]:1/t:2?log=info",
    "h/t?mode=9&slot=x",
    "",
    "/",
    "h:99999/t:2,,?read=5#f",
    "?log=info",
  );
  const scheme = fc.constantFrom(
    "server://",
    "client://",
    "master://",
    "http://",
    "server:/",
    "//",
  );
  const urls = fc
    .tuple(scheme, noise, secret, noise, rest)
    .map(([start, before, key, after, end]) => ({
      key,
      url: `${start}${before}${key}${after}@${end}`,
    }));

  test("not through redact", () => {
    fc.assert(
      fc.property(urls, ({ key, url }) => {
        expect(redact(url)).not.toContain(key);
      }),
      { numRuns: 1_000 },
    );
  });

  test("not through an error or a warning", () => {
    fc.assert(
      fc.property(urls, ({ key, url }) => {
        expect(problemsOf(() => parse(url))).not.toContain(key);
        expect(problemsOf(() => parseLenient(url).warnings)).not.toContain(key);
      }),
      { numRuns: 1_000 },
    );
  });

  /** All that a log could show of the attempt; the settings themselves are not logged. */
  function problemsOf(attempt: () => unknown): string {
    try {
      const warnings = attempt();
      return Array.isArray(warnings) ? JSON.stringify(warnings) : "";
    } catch (error) {
      if (!(error instanceof UrlConfigError)) throw error;
      return `${error.stack} ${JSON.stringify(error.problems)}`;
    }
  }
});

test("the password of a proxy is in no problem, however the URL is broken", () => {
  const urls = [
    "client://h:1/t:2?via=ftp://u:hunter2@p",
    "client://h:1/t:2?via=http://u:hunter2@p:99999",
    "client://h:1/t:2?via=http://u:x&hunter2@p:1",
    "client://h:1/t:2?via=http://u:hunter2%zz@p:1",
    "client://h:1/t:2?via=http://u:x@p:1&via=http://u:hunter2@p:1",
    "server://h:1/t:2?via=http://u:hunter2@p:1",
    "master://h:1?via=http://u:hunter2@p:1",
    "client://h:1/t:2?VIA=http://u:hunter2@p:1",
    "client://h:1/t:2?mode=1&via=http://u:hunter2@p:1",
    "client://h:1/t:2?via=http://u:x#hunter2@p:1",
  ];
  for (const url of urls) {
    const problems = (() => {
      try {
        parse(url);
      } catch (error) {
        if (error instanceof UrlConfigError) return JSON.stringify([error.problems, error.message]);
        throw error;
      }
      throw new Error(`${redact(url)} was accepted`);
    })();
    expect(problems, redact(url)).not.toContain("hunter2");
    expect(redact(url)).not.toContain("hunter2");
    const warnings = (() => {
      try {
        return JSON.stringify(parseLenient(url).warnings);
      } catch (error) {
        if (error instanceof UrlConfigError) return error.message;
        throw error;
      }
    })();
    expect(warnings, redact(url)).not.toContain("hunter2");
  }
});
