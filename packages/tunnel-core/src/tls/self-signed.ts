import { X509Certificate } from "node:crypto";
import { TunnelError } from "../errors.ts";
import { type CertificateSource, createCertificateState } from "./certificate-source.ts";

const DEFAULT_COMMON_NAME = "nodepass";
/** X.520's limit for a common name is 64; these characters need no escaping in a name string. */
const COMMON_NAME = /^[\w.-]{1,64}$/;
/** The peer may be behind by this much. */
const CLOCK_SKEW_MS = 60 * 60 * 1000;
/** Longer than any process lives; peers check the fingerprint, not the dates. */
const LIFETIME_YEARS = 10;

export interface SelfSignedCertificateOptions {
  /** 1 to 64 letters, digits, dots, hyphens or underscores. @default "nodepass" */
  readonly commonName?: string | undefined;
}

/**
 * Makes an ECDSA P-256 certificate that lives in memory only (`tls=1`).
 *
 * @throws {TunnelError} `INVALID_OPTIONS` if the common name is not allowed
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
  // Loaded here: tunnels without TLS need neither its time nor its memory.
  const { generate } = await import("selfsigned");
  const notBeforeDate = new Date(Date.now() - CLOCK_SKEW_MS);
  const notAfterDate = new Date(notBeforeDate);
  notAfterDate.setFullYear(notAfterDate.getFullYear() + LIFETIME_YEARS);
  const pems = await generate([{ name: "commonName", value: commonName }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    notBeforeDate,
    notAfterDate,
  });
  const state = createCertificateState(new X509Certificate(pems.cert), pems.cert, pems.private);
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
