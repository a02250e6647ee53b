import type { FollowConfigOptions } from "@nodepass/config-file";
import type { Logger } from "@nodepass/logging";

/** What is said of files that are followed: every fault is a line. */
export function followLogs(logger: Logger): Pick<FollowConfigOptions, "onRefused" | "onUnwatched"> {
  return {
    onRefused(problems) {
      for (const { file, line, column, path, message } of problems) {
        logger.error(
          { file, line, column, path, problem: message },
          "configuration refused, what runs goes on",
        );
      }
    },
    onUnwatched(folder, error) {
      logger.warn({ folder, reason: error.message }, "changes of files go unnoticed: send SIGHUP");
    },
  };
}
