import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { open, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { canMakeDisks, LoopDisk } from "../test-support/loop-disk.ts";

const here = canMakeDisks() ? describe : describe.skip;
const isMounted = (folder: string) => readFileSync("/proc/mounts", "utf8").includes(` ${folder} `);

here("a disk of a test's own", () => {
  test("has what was synced after its power was cut, and nothing else", async () => {
    const disk = await LoopDisk.make(16);
    onTestFinished(() => disk.close());
    const synced = await open(join(disk.folder, "synced"), "w");
    await synced.write("whole");
    await synced.sync();
    await synced.close();
    await writeFile(join(disk.folder, "later"), "gone");
    await writeFile(join(disk.folder, "synced"), "replaced");
    const copy = disk.copy();
    await disk.cutPower();
    expect((await readdir(disk.folder)).sort()).toEqual(["lost+found", "synced"]);
    expect(await readFile(join(disk.folder, "synced"), "utf8")).toBe("whole");
    await writeFile(join(disk.folder, "later"), "there");
    disk.flush();
    await disk.cutPower();
    expect(await readFile(join(disk.folder, "later"), "utf8")).toBe("there");
    await disk.insert(copy);
    expect(await readdir(disk.folder)).not.toContain("later");
  });

  test("is full, and read only, when it is told so", async () => {
    const disk = await LoopDisk.make(8);
    onTestFinished(() => disk.close());
    const path = join(disk.folder, "file");
    const makeRoom = await disk.fill();
    await expect(writeFile(path, "word")).rejects.toMatchObject({ code: "ENOSPC" });
    await makeRoom();
    await writeFile(path, "word");
    disk.readOnly(true);
    await expect(writeFile(path, "word")).rejects.toMatchObject({ code: "EROFS" });
    disk.readOnly(false);
    await writeFile(path, "word");
    await disk.close();
    expect(isMounted(disk.folder)).toBe(false);
  });

  test.each(["SIGINT", "SIGKILL"] as const)(
    "goes with its process, ended by %s",
    async (signal) => {
      const file = fileURLToPath(new URL("../test-support/loop-disk.ts", import.meta.url));
      const text = `import { LoopDisk } from ${JSON.stringify(file)};
      console.log((await LoopDisk.make(8)).folder);
      setInterval(() => undefined, 1000);`;
      const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "-e", text], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [said] = await once(child.stdout, "data");
      const folder = String(said).trim();
      expect(isMounted(folder)).toBe(true);
      child.kill(signal);
      await vi.waitFor(() => expect(isMounted(folder)).toBe(false), { timeout: 30_000 });
    },
  );
});
