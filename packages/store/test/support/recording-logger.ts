import type { StoreLogFields, StoreLogger } from "../../src/state-store.ts";

export interface RecordingLogger extends StoreLogger {
  records: { level: string; message: string; fields: StoreLogFields }[];
}

export function recordingLogger(): RecordingLogger {
  const records: RecordingLogger["records"] = [];
  const at = (level: string) => (fields: StoreLogFields, message: string) => {
    records.push({ level, message, fields });
  };
  return { records, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
