// Seal, identity and engine.
export { createDataKey, DATA_KEY_BYTES, openAtRest, sealAtRest } from "./seal/at-rest.ts";
export {
  type Box,
  type BoxId,
  type BoxOptions,
  type BoxSide,
  boxIdOf,
  type OpenedBox,
  openBox,
} from "./seal/box.ts";
export { BOX_OVERHEAD } from "./seal/box-frame.ts";
export { BoxKeys, createBoxKeys, fingerprintOf } from "./seal/box-keys.ts";
export { answerContext, sessionContext } from "./seal/context.ts";
export { SealError, type SealErrorCode } from "./seal/seal-error.ts";
