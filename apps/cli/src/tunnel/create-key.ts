import { randomBytes } from "node:crypto";

/** 192 bits: 32 characters, far beyond guessing. */
export const defaultKeyBytes = 24;

/** A random tunnel key of `bytes` bytes in characters that need no escape in a URL or a shell. */
export function createKey(bytes: number = defaultKeyBytes): string {
  for (;;) {
    const key = randomBytes(bytes).toString("base64url");
    // A leading dash would read as an option wherever the key stands alone.
    if (!key.startsWith("-")) return key;
  }
}
