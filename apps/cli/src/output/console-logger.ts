import type { Logger } from "@nodepass/logging";
import type { LogLevel } from "@nodepass/url-config";
import type { CliContext } from "../context.ts";
import { hasColour } from "./colour.ts";
import type { LogFormat } from "./log-format.ts";

/** Creates the logger of a command: to standard output, as the Go program does. */
export async function createConsoleLogger(
  { stdout, environment }: CliContext,
  options: { readonly level: LogLevel; readonly format: LogFormat },
): Promise<Logger> {
  const { createLogger } = await import("@nodepass/logging");
  const colour = hasColour(stdout, environment);
  return createLogger({ ...options, colour, write: (line) => stdout.write(line) });
}
