import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { type MasterState, STATE_VERSION } from "@nodepass/store";

/** A new API key: 32 hexadecimal digits, 128 random bits. */
export function createApiKey(): string {
  return randomBytes(16).toString("hex");
}

/** The state of a master that starts for the first time. */
export function createMasterState(): MasterState {
  return {
    version: STATE_VERSION,
    masterId: randomBytes(8).toString("hex"),
    alias: "",
    apiKey: createApiKey(),
    instances: [],
  };
}

/** Compares two keys in constant time, whatever their lengths. */
export function isSameKey(one: string, other: string): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
