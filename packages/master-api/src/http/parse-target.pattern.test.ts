import { TARGET_PATTERN } from "@nodepass/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseTarget } from "./parse-target.ts";

test("reads every target that the pattern of the document allows", () => {
  fc.assert(
    fc.property(fc.stringMatching(new RegExp(TARGET_PATTERN)), (target) => {
      expect(parseTarget(target)).toBeDefined();
    }),
    { numRuns: 1000 },
  );
});
