import type { FollowConfigOptions } from "./follow-config.ts";

/** Where faults are written: `Logger` of @nodepass/logging is one. */
export interface FaultLog {
  error(fields: Readonly<Record<string, string | number | undefined>>, message: string): void;
  warn(fields: Readonly<Record<string, string | number | undefined>>, message: string): void;
}

/**
 * What is said of files that are followed: every fault is a line.
 *
 * @example
 * followConfig({ paths, last, isComplete, become, ...logFaults(logger) });
 */
export function logFaults(log: FaultLog): Pick<FollowConfigOptions, "onRefused" | "onUnwatched"> {
  return {
    onRefused(problems) {
      for (const { file, line, column, path, message: problem } of problems) {
        const fields = { file, line, column, path, problem };
        log.error(fields, "configuration refused, what runs goes on");
      }
    },
    onUnwatched(folder, { message: reason }) {
      log.warn({ folder, reason }, "changes of files go unnoticed: send SIGHUP");
    },
  };
}
