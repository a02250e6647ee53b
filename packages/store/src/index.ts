export type { InstanceMeta, InstanceRecord, MasterState } from "./master-state.ts";
export { instanceRecordSchema, masterStateSchema, STATE_VERSION } from "./master-state.ts";
export type { DamagedFile, OpenedStore, OpenStoreOptions, Recovery } from "./open-store.ts";
export { openStore } from "./open-store.ts";
export type { StateSnapshot, StateStore, StoreLogFields, StoreLogger } from "./state-store.ts";
export type { StoreErrorCode, StoreErrorOptions } from "./store-error.ts";
export { StoreError } from "./store-error.ts";
