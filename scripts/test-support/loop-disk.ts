import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { mkdir, open, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Nothing is written back by itself within this; what must be on the disk asks for it. s */
const COMMIT_S = 300;
/** A copy is of one moment if nothing was written while it was made; so often it is tried. */
const MAX_COPIES = 5;

let usable: boolean | undefined;

/** Whether disks of their own can be made here; if not, after one line that says why. */
export function canMakeDisks(): boolean {
  if (usable !== undefined) return usable;
  const missing = whyNoDisk();
  usable = missing === undefined;
  if (!usable) console.log(`what needs a disk of its own is left out: ${missing}`);
  return usable;
}

/** @returns what is missing for a disk of its own; `undefined`: nothing */
export function whyNoDisk(): string | undefined {
  if (process.platform !== "linux") return "it takes Linux";
  if (process.getuid?.() !== 0) return "only root may mount";
  for (const program of ["mkfs.ext4", "mount", "umount", "losetup"]) {
    if (spawnSync(program, ["-V"], { stdio: "ignore" }).error !== undefined) {
      return `there is no ${program}`;
    }
  }
  const { error, status, stderr } = spawnSync("losetup", ["-f"], { encoding: "utf8" });
  if (error !== undefined || status !== 0) return `no loop device: ${stderr?.trim()}`;
  // A container's root may see the devices and still not mount.
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(tmpdir(), "nodepass-disk-"));
    const image = join(folder, "image");
    execFileSync("truncate", ["-s", "4M", image]);
    execFileSync("mkfs.ext4", ["-q", image], { stdio: "pipe" });
    execFileSync("mount", ["-o", "loop", image, folder], { stdio: "pipe" });
    execFileSync("umount", [folder], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    const text = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    return text.trim();
  } finally {
    if (folder !== undefined) spawnSync("rm", ["-rf", "--one-file-system", folder]);
  }
}

/**
 * A small disk: a file with ext4 in it, mounted. Its power can be cut: what no program has had synced is
 * gone then. It is unmounted however this process ends.
 */
export class LoopDisk {
  /** Where it is mounted; the same after a cut. */
  readonly folder: string;
  readonly #base: string;
  readonly #guard: ChildProcess;
  #image: string;
  #images = 0;

  private constructor(base: string) {
    this.#base = base;
    this.folder = join(base, "disk");
    this.#image = join(base, "image-0");
    // In a group of its own, as a Ctrl-C at the terminal is not for it. `-l`: whoever uses it still is about
    // to be killed, too. Removing what is mounted still would empty the disk, not remove it.
    const script =
      'cat >/dev/null; umount -l "$1/disk" 2>/dev/null; rm -rf --one-file-system "$1" 2>/dev/null';
    this.#guard = spawn("sh", ["-c", script, "sh", base], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    this.#guard.unref();
    this.#guard.stdin?.on("error", () => undefined);
    const { stdin } = this.#guard;
    if (stdin !== null && "unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  }

  /** @throws if it can't be made: see `whyNoDisk` */
  static async make(mib: number): Promise<LoopDisk> {
    const disk = new LoopDisk(mkdtempSync(join(tmpdir(), "nodepass-disk-")));
    try {
      await mkdir(disk.folder);
      await writeFile(disk.#image, "");
      await truncate(disk.#image, mib * 2 ** 20);
      // All of it now: the kernel would go on with it in the background.
      const whole = "lazy_itable_init=0,lazy_journal_init=0";
      execFileSync("mkfs.ext4", ["-q", "-m", "0", "-E", whole, disk.#image], { stdio: "pipe" });
      disk.#mount();
      return disk;
    } catch (error) {
      await disk.close();
      throw error;
    }
  }

  /** Copies all that is on the disk now, without what is only in memory. @returns the copy's path */
  copy(): string {
    this.#images += 1;
    const copy = join(this.#base, `image-${this.#images}`);
    for (let tries = 1; ; tries += 1) {
      const before = this.#written();
      execFileSync("cp", ["--sparse=always", this.#image, copy]);
      if (this.#written() === before) return copy;
      if (tries === MAX_COPIES) throw new Error(`${this.#image} is written to all the time`);
    }
  }

  /** Puts another image in its place, as by `copy`. Nobody may use the disk then. */
  async insert(image: string): Promise<void> {
    const old = this.#image;
    this.#unmount();
    this.#image = image;
    this.#mount();
    await rm(old);
  }

  /** What was never synced is gone. Whoever has written there is dead already. */
  async cutPower(): Promise<void> {
    await this.insert(this.copy());
  }

  /** All of it is on the disk itself now, as after a while. */
  flush(): void {
    execFileSync("sync", ["-f", this.folder]);
  }

  /** Read-only, or not any more. */
  readOnly(isReadOnly: boolean): void {
    execFileSync("mount", ["-o", `remount,${isReadOnly ? "ro" : "rw"}`, this.folder]);
  }

  /** Leaves no byte. @returns makes room again */
  async fill(): Promise<() => Promise<void>> {
    const path = join(this.folder, "ballast");
    const ballast = await open(path, "w");
    for (const size of [2 ** 20, 4096, 1]) {
      const bytes = new Uint8Array(size);
      try {
        for (;;) {
          await ballast.write(bytes);
          if (size === 2 ** 20) await ballast.sync();
        }
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
      }
    }
    await ballast.sync();
    await ballast.close();
    return () => rm(path);
  }

  /** Unmounts and removes it. Idempotent. @throws if it stays mounted */
  async close(): Promise<void> {
    if (this.#mounted() !== undefined) this.#unmount();
    await rm(this.#base, { recursive: true, force: true });
    this.#guard.stdin?.end();
  }

  #mount(): void {
    const options = `loop,noatime,commit=${COMMIT_S}`;
    execFileSync("mount", ["-o", options, this.#image, this.folder], { stdio: "pipe" });
  }

  #unmount(): void {
    execFileSync("umount", [this.folder], { stdio: "pipe" });
    if (this.#mounted() !== undefined) throw new Error(`${this.folder} is mounted still`);
    // The device lets go of the file by itself, but not before namespaces of others that have begun
    // meanwhile, and have a copy of this mount.
    const left = execFileSync("losetup", ["-n", "-O", "AUTOCLEAR", "-j", this.#image], {
      encoding: "utf8",
    });
    if (!["", "1"].includes(left.trim())) throw new Error(`${this.#image} stays attached: ${left}`);
  }

  /** Name of its device. */
  #mounted(): string | undefined {
    const line = readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .find((each) => each.split(" ")[1] === this.folder);
    return line?.split(" ")[0]?.replace("/dev/", "");
  }

  /** Sectors that the file system has written to it so far. */
  #written(): string {
    const stat = readFileSync(`/sys/block/${this.#mounted()}/stat`, "utf8");
    return stat.trim().split(/\s+/)[6] ?? "";
  }
}
