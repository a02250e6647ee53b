import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { diesWithUs } from "test-support/nats";

const program = fileURLToPath(new URL("../../../../../apps/master/dist/main.js", import.meta.url));

/** A real master with tunnels, in a process of its own. */
export interface RealMaster {
  readonly child: ChildProcess;
  /** Its own API key. */
  readonly key: string;
  /** Kills it and removes its folder. */
  close(): Promise<void>;
}

/** @param address of loopback, of this master alone @param token it joins with */
export async function startRealMaster(address: string, token: string): Promise<RealMaster> {
  const folder = await mkdtemp(join(tmpdir(), "nodepass-real-"));
  const key = `own-key-of-${address}`;
  const child = spawn(
    process.execPath,
    [program, `master://${address}:9099/api`, "--join", token],
    {
      env: { PATH: process.env.PATH, NP_STATE_DIR: folder, NP_WORKERS: "1", NP_API_KEY: key },
      stdio: "ignore",
    },
  );
  diesWithUs(child);
  const ended = once(child, "close");
  return {
    child,
    key,
    close: async () => {
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
