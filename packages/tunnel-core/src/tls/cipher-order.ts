import { constants, createCipheriv } from "node:crypto";
import { tls } from "../node-tls.ts";

/** What is enciphered to see how fast it goes, and how often: a third of a millisecond in all. */
const SAMPLE_BYTES = 16 * 1024;
const SAMPLES = 6;

const AES = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"];
const CHACHA = "TLS_CHACHA20_POLY1305_SHA256";

let order: string | undefined;

/**
 * Ciphers in the order of what they cost here, as `ciphers` of a secure context takes them. AES-128
 * needs 5 to 8 % less processor time for bulk than AES-256, which OpenSSL puts first (docs/performance.md,
 * "TLS"); without instructions for AES, ChaCha20 is several times faster than either. What TLS 1.2 has
 * follows as Node orders it.
 */
export function cipherOrder(): string {
  order ??= [...new Set([...preferred(), ...tls().DEFAULT_CIPHERS.split(":")])].join(":");
  return order;
}

/**
 * `secureOptions` of a server: its order counts, but a client that puts ChaCha20 first has no AES.
 */
export const CIPHERS_BY_BOTH =
  constants.SSL_OP_CIPHER_SERVER_PREFERENCE | constants.SSL_OP_PRIORITIZE_CHACHA;

function preferred(): string[] {
  // Where both are near each other, what they wait for was measured.
  const withoutAes = timeOf("chacha20-poly1305", 32) * 1.5 < timeOf("aes-128-gcm", 16);
  return withoutAes ? [CHACHA, ...AES] : [...AES, CHACHA];
}

/** Time of the fastest sample, ms: what else the machine does makes others slower. */
function timeOf(name: "aes-128-gcm" | "chacha20-poly1305", keyBytes: number): number {
  const sample = Buffer.alloc(SAMPLE_BYTES);
  const key = Buffer.alloc(keyBytes);
  const nonce = Buffer.alloc(12);
  // Two calls, since their declarations are two.
  const cipher =
    name === "aes-128-gcm"
      ? createCipheriv(name, key, nonce)
      : createCipheriv(name, key, nonce, { authTagLength: 16 });
  let fastest = Infinity;
  for (let i = 0; i < SAMPLES; i++) {
    const start = performance.now();
    cipher.update(sample);
    fastest = Math.min(fastest, performance.now() - start);
  }
  return fastest;
}
