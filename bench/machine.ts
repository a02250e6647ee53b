import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";

/** What carries the figures, without what would tell whose machine it is. */
export function describeMachine(): Record<string, string> {
  const processors = cpus();
  return {
    processors: `${processors.length} × ${processors[0]?.model.trim() ?? "unknown"}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${process.platform} ${release()}`,
    "Node.js": process.versions.node,
    Go: goVersion(),
    "load average at the start": loadavg()
      .map((value) => value.toFixed(2))
      .join(", "),
  };
}

function goVersion(): string {
  try {
    return execFileSync("go", ["env", "GOVERSION"], { encoding: "utf8" }).trim();
  } catch {
    return "none";
  }
}
