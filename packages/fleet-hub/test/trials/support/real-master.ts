import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as pathOf } from "node:path";
import { fileURLToPath } from "node:url";
import { diesWithUs } from "test-support/nats";

const program = fileURLToPath(new URL("../../../../../apps/master/dist/main.js", import.meta.url));

/** A real master with tunnels, in a process of its own. */
export interface RealMaster {
  readonly child: ChildProcess;
  /** Its own API key. */
  readonly key: string;
  /** Kills it, and removes its folder if that is its own. */
  close(): Promise<void>;
}

/**
 * @param address of loopback, of this master alone
 * @param token it joins with; none if it has joined before
 * @param kept folder of its state that stays; absent: one that goes with it
 */
export async function startRealMaster(
  address: string,
  token: string | undefined,
  kept?: string,
): Promise<RealMaster> {
  const folder = kept ?? (await mkdtemp(pathOf(tmpdir(), "nodepass-real-")));
  const key = `own-key-of-${address}`;
  const join = token === undefined ? [] : ["--join", token];
  const child = spawn(process.execPath, [program, `master://${address}:9099/api`, ...join], {
    env: { PATH: process.env.PATH, NP_STATE_DIR: folder, NP_WORKERS: "1", NP_API_KEY: key },
    stdio: "ignore",
  });
  diesWithUs(child);
  const ended = once(child, "close");
  return {
    child,
    key,
    close: async () => {
      child.kill("SIGKILL");
      await ended;
      if (kept === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
