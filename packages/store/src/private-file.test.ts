import { mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { readPrivateFile, replacePrivateFile } from "./private-file.ts";

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "nodepass-private-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

it("replaces a file whole, for its owner only, and leaves nothing beside it", async () => {
  const folder = await directory();
  const path = join(folder, "fleet.msgpack");
  expect(await readPrivateFile(path, 100)).toBeUndefined();
  await replacePrivateFile(path, Buffer.from("one"));
  await replacePrivateFile(path, Buffer.from("two"));
  expect(String(await readPrivateFile(path, 100))).toBe("two");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(["fleet.msgpack"]);
});

it("writes over no file that a link points to", async () => {
  const folder = await directory();
  const other = join(folder, "other");
  await writeFile(other, "untouched");
  await symlink(other, join(folder, "fleet.msgpack"));
  await replacePrivateFile(join(folder, "fleet.msgpack"), Buffer.from("new"));
  expect(String(await readPrivateFile(other, 100))).toBe("untouched");
});

it("reads neither what is too large nor what is no file", async () => {
  const folder = await directory();
  const path = join(folder, "fleet.msgpack");
  await writeFile(path, "12345");
  await expect(readPrivateFile(path, 4)).rejects.toMatchObject({ code: "TOO_LARGE" });
  await expect(readPrivateFile(folder, 100)).rejects.toMatchObject({ code: "UNREADABLE" });
});
