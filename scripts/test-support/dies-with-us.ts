import { type ChildProcess, spawn } from "node:child_process";

/**
 * Sees to it that children end with this process, however it ends: a shell waits for the end of a pipe
 * that only this process holds, and then kills what it was told of. `exit` handlers alone do not run
 * when a test runner kills a worker that hangs.
 */
const SCRIPT = `
pids=
while read -r what pid; do
  rest=
  for one in $pids; do [ "$one" = "$pid" ] || rest="$rest $one"; done
  pids=$rest
  [ "$what" = add ] && pids="$pids $pid"
done
[ -z "$pids" ] || kill -KILL $pids 2>/dev/null
`;

let guard: ChildProcess | undefined;

/** @param child killed when this process ends; forgotten when it has ended by itself */
export function diesWithUs(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  tell(`add ${pid}`);
  child.once("exit", () => tell(`forget ${pid}`));
}

function tell(line: string): void {
  if (guard === undefined) {
    // In a group of its own: Ctrl-C at the terminal would end it with the others.
    guard = spawn("sh", ["-c", SCRIPT], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    guard.unref();
    const { stdin } = guard;
    stdin?.on("error", () => {
      // The guard is gone; nothing else depends on it.
    });
    if (stdin !== null && "unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  }
  guard.stdin?.write(`${line}\n`);
}
