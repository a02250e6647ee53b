import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { getSystemErrorMessage } from "node:util";
import type { ConfigProblem } from "./config-file-error.ts";

/** Whether a file of a folder is part of the configuration, by its name. */
export function isConfigName(name: string): boolean {
  // Kubernetes keeps the real files of a mounted config map under names with a dot in front.
  return /^[^.].*\.(?:ya?ml|json)$/.test(name);
}

/** The files that a path stands for: itself, or what a folder holds, in order of names. */
export function findFiles(
  path: string,
): { readonly files: readonly string[] } | { readonly problem: ConfigProblem } {
  const problem = (message: string): { readonly problem: ConfigProblem } => ({
    problem: { file: path, line: undefined, column: undefined, path: "", message },
  });
  try {
    if (!statSync(path).isDirectory()) return { files: [path] };
    const names = readdirSync(path).filter(isConfigName).sort();
    const files = names.map((name) => join(path, name));
    return files.length > 0 ? { files } : problem("the folder has no .yaml, .yml or .json file");
  } catch (error) {
    return problem(faultOf(error));
  }
}

/** What the system says, without its call and the path, which is told already. */
function faultOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "errno" in error && typeof error.errno === "number"
    ? getSystemErrorMessage(error.errno)
    : error.message;
}
