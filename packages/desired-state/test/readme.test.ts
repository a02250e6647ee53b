import { apply, instanceHost, plan } from "@nodepass/desired-state";
import { Readme } from "test-support/readme";
import { expect, test } from "vitest";
import { fakeHost } from "./fake-host.ts";

const readme = new Readme(import.meta.url);

test("README's example prints what it says", async () => {
  expect(await readme.run({ apply, instanceHost, plan, emptyMaster: fakeHost })).toBe(
    readme.printed,
  );
});
