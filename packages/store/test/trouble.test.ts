import { spawnSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { openStore } from "../src/open-store.ts";
import { startChild } from "./support/child.ts";
import { sampleState, sequenceOf } from "./support/sample-state.ts";
import { useScratchDirectories } from "./support/scratch-directory.ts";

const scratch = useScratchDirectories();

async function reopen(directory: string): Promise<number> {
  const { store, state, recovered } = await openStore({
    directory,
    createInitial: () => sampleState(0),
  });
  await store.close();
  expect(recovered).toBeUndefined();
  expect((await readdir(directory)).filter((name) => /tmp|damaged/.test(name))).toEqual([]);
  return sequenceOf(state);
}

test("a file size limit in the middle of a write: refused, old state kept, later saves work", async () => {
  const directory = await scratch();
  // Blocks of 512 bytes or 1 KiB, as the shell pleases: more than a small state, less than a large.
  const child = startChild("limited-writer.ts", [directory], 'ulimit -f 16; exec "$0" "$@"');
  child.process.stdin?.end();
  expect(await child.ended).toBe(0);
  expect(child.lines).toEqual(["large WRITE_FAILED EFBIG WRITE_FAILED", "litter 0", "small saved"]);
  expect(await reopen(directory)).toBe(4);
});

/** A file system of its own needs a mount, and that a user namespace, which not every host allows. */
const IN_SMALL_DISK = 'mount -t tmpfs -o size=64k none "$0" && exec "$@"';
const canMount =
  process.platform === "linux" &&
  spawnSync("unshare", ["-rm", "sh", "-c", IN_SMALL_DISK, "/mnt", "true"]).status === 0;

// Needs a mount namespace, which not every machine lets one make.
test.skipIf(!canMount)("a full disk: refused, old state kept, later saves work", async () => {
  const directory = await scratch();
  const child = startChild(
    "limited-writer.ts",
    [directory],
    `exec unshare -rm sh -c '${IN_SMALL_DISK}' '${directory}' "$0" "$@"`,
  );
  child.process.stdin?.end();
  expect(await child.ended).toBe(0);
  expect(child.lines).toEqual([
    "large WRITE_FAILED ENOSPC WRITE_FAILED",
    "litter 0",
    "small saved",
  ]);
});

describe("a read-only directory", () => {
  test("refuses saves and starts with the reason, and works again when it is writable", async () => {
    const directory = await scratch();
    const child = startChild("read-only-writer.ts", [directory]);
    expect(await child.ended).toBe(0);
    const reason = "permission denied (EACCES)";
    expect(child.lines).toEqual([
      `read-only save WRITE_FAILED: ${reason}`,
      `read-only backup WRITE_FAILED: ${reason}`,
      "writable save done",
      `read-only open DIRECTORY_UNUSABLE: ${reason}`,
    ]);
    expect(await reopen(directory)).toBe(3);
  });
});
