import * as client from "@nodepass/master-client";
import { Readme } from "test-support/readme";
import { expect, test } from "vitest";
import { startPlainMaster } from "./support/plain-master.ts";

const readme = new Readme(import.meta.url);

test("README's example prints what it says", async () => {
  const { url, key } = await startPlainMaster();
  expect(await readme.run({ ...client, url, key })).toBe(readme.printed);
});

test("README names every error code", () => {
  expect(readme.untold(readme.codesOf("client-error.ts"))).toEqual([]);
});
