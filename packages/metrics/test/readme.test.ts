import * as metrics from "@nodepass/metrics";
import { NO_COUNTERS } from "@nodepass/model";
import { Readme } from "test-support/readme";
import { expect, test } from "vitest";

const readme = new Readme(import.meta.url);

test("README's example prints what it says", async () => {
  expect(await readme.run({ ...metrics, NO_COUNTERS })).toBe(readme.printed);
});
