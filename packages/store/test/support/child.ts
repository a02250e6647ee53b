import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Node before 22.18 runs TypeScript only if it is told to. */
const FLAGS = process.features.typescript === false ? ["--experimental-strip-types"] : [];

/** A running script of this folder and the lines that it prints. */
export interface Child {
  process: ChildProcess;
  lines: string[];
  /** Resolves with the first line that starts with the word; rejects if the child ends before. */
  line(word: string): Promise<string>;
  /** Resolves when it has ended and all it printed was read: exit code or signal. */
  ended: Promise<number | NodeJS.Signals>;
}

/**
 * Compiled code of the children, which makes their start three times as fast: hundreds are started.
 * Written by a child that ends by itself.
 */
const COMPILED = fileURLToPath(new URL("../../node_modules/.cache/compiled", import.meta.url));

/** Starts `test/support/<script>`; `shell` is put before it, `exec "$0" "$@"` in it starts it. */
export function startChild(script: string, args: readonly string[], shell?: string): Child {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const node = [process.execPath, "--no-warnings", ...FLAGS, path, ...args];
  const [command = "", ...rest] = shell === undefined ? node : ["/bin/sh", "-c", shell, ...node];
  const child = spawn(command, rest, {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILED },
  });
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  const notify = () => {
    for (const watcher of watchers) watcher();
  };
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (text) => {
    lines.push(text);
    notify();
  });
  let over = false;
  const ended = Promise.all([once(child, "close"), once(reader, "close")]).then(
    ([[code, signal]]): number | NodeJS.Signals => {
      over = true;
      notify();
      return code ?? signal;
    },
  );
  return {
    process: child,
    lines,
    ended,
    line: (word) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find((text) => text.startsWith(word));
          if (found === undefined && !over) return;
          watchers.delete(look);
          if (found === undefined)
            reject(new Error(`it ended before "${word}": ${lines.join(" / ")}`));
          else resolve(found);
        };
        watchers.add(look);
        look();
      }),
  };
}
