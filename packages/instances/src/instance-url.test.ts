import { INSTANCE_URL_PATTERN } from "@nodepass/model";
import fc from "fast-check";
import { expect, it } from "vitest";
import { readInstanceUrl } from "./managed-instance.ts";

it("reads every URL that the pattern of the API's document allows", () => {
  fc.assert(
    fc.property(fc.stringMatching(new RegExp(INSTANCE_URL_PATTERN)), (url) => {
      expect(() => readInstanceUrl(url, {})).not.toThrow();
    }),
    { numRuns: 1000 },
  );
});

it.each([
  "server://0.0.0.0:10101/127.0.0.1:8080?tls=1",
  "client://key@[::1]:10101/db.example:5432,10.0.0.1:1?mode=2&rate=100",
])("has %s in it", (url) => {
  expect(url).toMatch(new RegExp(INSTANCE_URL_PATTERN));
});
