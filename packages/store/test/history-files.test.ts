import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { HISTORY_FOLDER, historyFiles } from "@nodepass/store";
import { expect, test } from "vitest";
import { useScratchDirectories } from "./support/scratch-directory.ts";

const scratch = useScratchDirectories();

test("keeps a file for each instance, for its owner only, and takes it back", async () => {
  const directory = await scratch();
  const files = historyFiles(directory);
  expect(await files.read("a1b2c3d4")).toBeUndefined();
  await files.write("a1b2c3d4", Uint8Array.of(1, 2, 3));
  await files.write("a1b2c3d4", Uint8Array.of(4));
  expect([...((await files.read("a1b2c3d4")) ?? [])]).toEqual([4]);
  const folder = join(directory, HISTORY_FOLDER);
  expect(await readdir(folder)).toEqual(["a1b2c3d4"]);
  expect((await stat(join(folder, "a1b2c3d4"))).mode & 0o777).toBe(0o600);
  await files.remove("a1b2c3d4");
  await files.remove("a1b2c3d4");
  expect(await readdir(folder)).toEqual([]);
});

test("leaves its folder under no name", async () => {
  const files = historyFiles(await scratch());
  await expect(async () => files.read("../nodepass.msgpack")).rejects.toThrow(TypeError);
});
