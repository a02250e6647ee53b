import type { LogFields, Logger } from "@nodepass/model";

export interface RecordingLogger extends Logger {
  records: { level: string; message: string; fields: LogFields }[];
}

export function recordingLogger(): RecordingLogger {
  const records: RecordingLogger["records"] = [];
  const at = (level: string) => (fields: LogFields, message: string) => {
    records.push({ level, message, fields });
  };
  return { records, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
