export type { LogFields } from "@nodepass/model";
export { formatJsonLine } from "./json-line.ts";
export type {
  CheckPointLike,
  LogEntry,
  LogLineLevel,
  LogRecordLike,
  LogThreshold,
} from "./log-entry.ts";
export { formatCheckPoint, formatLogLine, type LogLineOptions } from "./log-line.ts";
export { createLogger, type Logger, type LoggerOptions } from "./logger.ts";
export { maxTextLength, safeText } from "./safe-text.ts";
