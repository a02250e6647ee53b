import { INSTANCE_URL_PATTERN } from "@nodepass/model";
import fc from "fast-check";
import { expect, it } from "vitest";
import { readInstanceUrl } from "./instance-url.ts";

it("reads every URL that the pattern of the API's document allows", () => {
  const pattern = new RegExp(INSTANCE_URL_PATTERN);
  // The generator cannot look ahead; what it makes against that is sorted out.
  const lax = new RegExp(INSTANCE_URL_PATTERN.replace(/\(\?!.*\$\)\)/, ""));
  expect(lax.source).not.toContain("?!");
  const urls = fc.stringMatching(lax).filter((url) => pattern.test(url));
  fc.assert(
    fc.property(urls, (url) => {
      expect(() => readInstanceUrl(url, {})).not.toThrow();
    }),
    { numRuns: 1000 },
  );
});

it.each([
  "server://0.0.0.0:10101/127.0.0.1:8080?tls=1",
  "client://127.0.0.1:80/example.com:80",
  "client://key@[::1]:10101/db.example:5432,10.0.0.1:1?mode=2&rate=100",
])("has %s in it", (url) => {
  expect(url).toMatch(new RegExp(INSTANCE_URL_PATTERN));
});

it.each(["client://127.0.0.1:80/127.0.0.1:80", "server://0.0.0.0:80/a:1,127.0.0.9:80?mode=1"])(
  "has no loop such as %s in it",
  (url) => {
    expect(url).not.toMatch(new RegExp(INSTANCE_URL_PATTERN));
    expect(() => readInstanceUrl(url, {})).toThrow(/leads back/);
  },
);
