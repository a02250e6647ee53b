import fc from "fast-check";
import { expect, test } from "vitest";
import { anySettings } from "../test/support/arbitrary-settings.ts";
import { format } from "./format-url.ts";
import { parse, parseLenient } from "./parse-url.ts";
import type { Settings } from "./settings.ts";
import { UrlConfigError } from "./url-problem.ts";

/** A canonical URL with some of its characters cut out and others put in. */
const mutated = fc
  .tuple(
    anySettings,
    fc.array(
      fc.tuple(fc.nat(), fc.nat(4), fc.oneof(fc.string(), fc.constantFrom(..."@/?#:%&=,[]"))),
      { maxLength: 4 },
    ),
  )
  .map(([settings, edits]) =>
    edits.reduce((url, [seed, cut, insert]) => {
      const position = seed % (url.length + 1);
      return url.slice(0, position) + insert + url.slice(position + cut);
    }, format(settings)),
  );

const inputs = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "binary" }).map((text) => `server://${text}`),
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  mutated,
);

/** The settings, or nothing when the URL is refused as it should be. */
function attempt(read: () => Settings): Settings | undefined {
  try {
    return read();
  } catch (error) {
    expect(error).toBeInstanceOf(UrlConfigError);
    if (error instanceof UrlConfigError) expect(error.problems.length).toBeGreaterThan(0);
    return undefined;
  }
}

test("no input throws anything but the package's error, and what is read can be written", () => {
  fc.assert(
    fc.property(inputs, (url) => {
      const settings = attempt(() => parse(url));
      if (settings !== undefined) expect(parse(format(settings))).toEqual(settings);
    }),
    { numRuns: 1_000 },
  );
});

test("lenient reading accepts all that strict reading does, with the same settings", () => {
  fc.assert(
    fc.property(inputs, (url) => {
      const strict = attempt(() => parse(url));
      const lenient = attempt(() => parseLenient(url).settings);
      if (strict !== undefined) expect(lenient).toEqual(strict);
      if (lenient !== undefined) expect(parse(format(lenient))).toEqual(lenient);
    }),
    { numRuns: 1_000 },
  );
});
