import { Option } from "commander";

/** How log lines are written. */
export type LogFormat = "text" | "json";

/** The option of every command that logs. */
export function logFormatOption(): Option {
  return new Option("--log-format <format>", "lines of text, or one JSON object a line")
    .choices(["text", "json"])
    .default("text");
}
