import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openStore } from "@nodepass/store";
import { Readme } from "test-support/readme";
import { expect, test } from "vitest";
import { decodeState } from "../src/decode-state.ts";
import { useScratchDirectories } from "./support/scratch-directory.ts";

const readme = new Readme(import.meta.url);
const scratch = useScratchDirectories();

test("README's example prints what it says and leaves its state on disk", async () => {
  const directory = await scratch();
  expect(await readme.run({ openStore, directory }, "ts")).toBe(readme.printed);
  const { state } = decodeState(await readFile(join(directory, "nodepass.msgpack")));
  expect(state.alias).toBe("gateway");
});

test("README names every error code", () => {
  expect(readme.untold(readme.codesOf("store-error.ts"))).toEqual([]);
});
