export { HISTORY_FOLDER, type HistoryFiles, historyFiles } from "./history-files.ts";
export type { DamagedFile, Recovery } from "./load-state.ts";
export { type MasterState, masterStateSchema, STATE_VERSION } from "./master-state.ts";
export type { OpenedStore, OpenStoreOptions } from "./open-store.ts";
export { BACKUP_NAME, openStore, STATE_NAME } from "./open-store.ts";
export { holdDirectory, readPrivateFile, replacePrivateFile } from "./private-file.ts";
export type { StateSnapshot, StateStore } from "./state-store.ts";
export type { StoreErrorCode, StoreErrorOptions } from "./store-error.ts";
export { StoreError } from "./store-error.ts";
