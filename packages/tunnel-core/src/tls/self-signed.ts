import { generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import { TunnelError } from "../errors.ts";
import { type CertificateSource, createCertificateState } from "./certificate-source.ts";
import { signedCertificate } from "./signed-certificate.ts";

const DEFAULT_COMMON_NAME = "nodepass";
/** X.520's limit for a common name is 64; these characters need no escaping in a name string. */
const COMMON_NAME = /^[\w.-]{1,64}$/;
/** The peer may be behind by this much. */
const CLOCK_SKEW_MS = 60 * 60 * 1000;
/** Longer than any process lives; peers check the fingerprint, not the dates. */
const LIFETIME_YEARS = 10;

/** What stands in the certificate. */
export interface SelfSignedCertificateOptions {
  /** 1 to 64 letters, digits, dots, hyphens or underscores. @default "nodepass" */
  readonly commonName?: string | undefined;
}

/**
 * Makes an ECDSA P-256 certificate that lives in memory only (`tls=1`).
 *
 * @throws {TunnelError} `INVALID_OPTIONS` if the common name is not allowed
 * @example
 * const source = await createSelfSignedCertificate({ commonName: "edge" });
 */
export async function createSelfSignedCertificate(
  options: SelfSignedCertificateOptions = {},
): Promise<CertificateSource> {
  const commonName = options.commonName ?? DEFAULT_COMMON_NAME;
  if (!COMMON_NAME.test(commonName)) {
    throw new TunnelError(
      "INVALID_OPTIONS",
      `commonName is ${JSON.stringify(commonName)}, must be 1 to 64 letters, digits, ".", "-" or "_"`,
    );
  }
  const notBefore = new Date(Date.now() - CLOCK_SKEW_MS);
  const notAfter = new Date(notBefore);
  notAfter.setFullYear(notAfter.getFullYear() + LIFETIME_YEARS);
  const { publicKey, privateKey } = await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
  const leaf = signedCertificate({ commonName, notBefore, notAfter, publicKey, privateKey });
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const state = createCertificateState(leaf, leaf.toString(), key);
  return {
    current: () => state,
    onChange: () => {
      // It never changes.
    },
    close: () => {
      // Nothing is open.
    },
  };
}
