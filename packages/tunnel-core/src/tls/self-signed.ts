import { generateKeyPair, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import { promisify } from "node:util";
import { TunnelError } from "../errors.ts";
import { type CertificateSource, createCertificateState } from "./certificate-source.ts";
import {
  bitString,
  explicit,
  integer,
  objectIdentifier,
  sequence,
  setOf,
  time,
  utf8String,
} from "./der.ts";

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
  const leaf = new X509Certificate(
    signedCertificate({ commonName, notBefore, notAfter, publicKey, privateKey }),
  );
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

interface CertificateFields {
  readonly commonName: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/**
 * The DER of a certificate that its own key has signed. Node makes none, and the libraries that do
 * bring some twenty packages along for it.
 *
 * @see RFC 5280, section 4.1 (fields); RFC 5758, section 3.2 (ecdsa-with-SHA256)
 */
function signedCertificate(fields: CertificateFields): Buffer {
  const { commonName, notBefore, notAfter, publicKey, privateKey } = fields;
  const algorithm = sequence(objectIdentifier("1.2.840.10045.4.3.2"));
  const name = sequence(setOf(sequence(objectIdentifier("2.5.4.3"), utf8String(commonName))));
  // A positive number of at most 20 bytes that begins with no zero.
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8() & 0x7f) | 0x40);
  const version3 = explicit(0, integer(Buffer.of(2)));
  const toBeSigned = sequence(
    version3,
    integer(serial),
    algorithm,
    name,
    sequence(time(notBefore), time(notAfter)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
  );
  const signature = sign("sha256", toBeSigned, privateKey);
  return sequence(toBeSigned, algorithm, bitString(signature));
}
