import { existsSync } from "node:fs";

/** Whether an argument names a configuration, not a URL: it has a file's ending, or is there. */
export function isConfigPath(argument: string): boolean {
  if (argument.includes("://")) return false;
  return /\.(?:ya?ml|json)$/i.test(argument) || existsSync(argument);
}
