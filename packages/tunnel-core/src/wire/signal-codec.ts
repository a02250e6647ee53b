export type { Signal, SignalEvent } from "./signal.ts";
export { SignalDecoder, type SignalDecoderOptions } from "./signal-decoder.ts";
export { createSignalEncoder } from "./signal-encoder.ts";
