import { execFileSync } from "node:child_process";

/** A network namespace at the end of a cable that can swallow everything, both ways. */
export interface DarkPath {
  /** Words before a command that is to run at the far end. */
  readonly wrapper: readonly string[];
  /** This end's address, which the far end dials. */
  readonly near: string;
  /** Packets vanish from now on: no reset, no error, at either end. */
  drop(): void;
  restore(): void;
  close(): void;
}

function run(...words: string[]): void {
  const [command = "", ...rest] = words;
  execFileSync(command, rest, { stdio: ["ignore", "ignore", "pipe"] });
}

/** A hardware address that nobody has. */
const NOBODY = "02:00:00:00:00:99";

/**
 * Lays the cable.
 *
 * @returns the path, or why none can be made here (no root, no `ip`)
 */
export function layDarkPath(): DarkPath | string {
  const name = `np${process.pid}`;
  // Private to this machine; the process id keeps two runs apart.
  const net = `10.231.${process.pid % 250}`;
  const near = `${net}.1`;
  const far = `${net}.2`;
  const inside = ["ip", "netns", "exec", name];
  const close = (): void => {
    try {
      run("ip", "netns", "del", name);
    } catch {
      // It was never made.
    }
  };
  try {
    run("ip", "netns", "add", name);
    run("ip", "link", "add", `${name}a`, "type", "veth", "peer", "name", "far", "netns", name);
    run("ip", "addr", "add", `${near}/30`, "dev", `${name}a`);
    run("ip", "link", "set", `${name}a`, "up");
    run(...inside, "ip", "addr", "add", `${far}/30`, "dev", "far");
    run(...inside, "ip", "link", "set", "far", "up");
    run(...inside, "ip", "link", "set", "lo", "up");
  } catch (error) {
    close();
    return error instanceof Error ? (error.message.split("\n")[0] ?? "failed") : "failed";
  }
  const toNobody = (address: string) => ["neigh", "replace", address, "lladdr", NOBODY];
  return {
    wrapper: inside,
    near,
    drop: () => {
      // Frames to a wrong hardware address are sent and never taken: nothing tells the sender.
      run("ip", ...toNobody(far), "dev", `${name}a`, "nud", "permanent");
      run(...inside, "ip", ...toNobody(near), "dev", "far", "nud", "permanent");
    },
    restore: () => {
      run("ip", "neigh", "del", far, "dev", `${name}a`);
      run(...inside, "ip", "neigh", "del", near, "dev", "far");
    },
    close,
  };
}
