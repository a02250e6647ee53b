export { GoStateError, type GoStateErrorCode } from "./go-state-error.ts";
export { type GoState, readGoState } from "./read-go-state.ts";
