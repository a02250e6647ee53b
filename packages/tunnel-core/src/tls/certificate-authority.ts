import { createPrivateKey, generateKeyPair, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { promisify } from "node:util";
import { addressBytes } from "@nodepass/url-config";
import { TunnelError } from "../errors.ts";
import { signedCertificate } from "./signed-certificate.ts";

/** A certificate with its key, both in PEM. The key is a secret. */
export interface CertificateWithKey {
  readonly cert: string;
  readonly key: string;
}

/** For whom a certificate is issued. */
export interface IssueOptions {
  /** Host names and IP addresses that it is good for, at least one; `*.` may begin a name. */
  readonly names: readonly string[];
}

/** The other end's clock may be behind by this much. */
const CLOCK_SKEW_MS = 60 * 60 * 1000;
const LIFETIME_YEARS = 10;
const HOST_NAME = /^(?:\*\.)?[A-Za-z0-9_](?:[\w-]{0,62})(?:\.[A-Za-z0-9_][\w-]{0,62})*$/;

/**
 * Makes an authority of one's own, for servers that only those are to trust who were given its
 * certificate. It is good for ten years.
 *
 * @param commonName what it is called, up to 64 letters, digits, spaces, dots and hyphens
 * @throws {TunnelError} `INVALID_OPTIONS` for another name
 * @example
 * const authority = await createAuthority("my servers");
 * const { cert, key } = await issueCertificate(authority, { names: ["a.example.com", "192.0.2.1"] });
 */
export async function createAuthority(commonName: string): Promise<CertificateWithKey> {
  if (!/^[\w .-]{1,64}$/.test(commonName)) {
    throw new TunnelError(
      "INVALID_OPTIONS",
      `commonName is ${JSON.stringify(commonName)}, must be 1 to 64 letters, digits, " ", ".", "-" or "_"`,
    );
  }
  const { publicKey, privateKey } = await makeKeys();
  const cert = signedCertificate({
    ...{ commonName, publicKey, privateKey, isAuthority: true },
    ...lifetime(),
  });
  return withKey(cert, privateKey);
}

/**
 * Makes a certificate of an authority that {@link createAuthority} has made.
 *
 * @throws {TunnelError} `INVALID_OPTIONS` for what is neither a host name nor an IP address
 * @example
 * const { cert, key } = await issueCertificate(authority, { names: ["a.example.com"] });
 */
export async function issueCertificate(
  authority: CertificateWithKey,
  { names }: IssueOptions,
): Promise<CertificateWithKey> {
  const bad = names.find((name) => isIP(name) === 0 && !HOST_NAME.test(name));
  const [first] = names;
  if (first === undefined || bad !== undefined) {
    throw new TunnelError(
      "INVALID_OPTIONS",
      `${JSON.stringify(bad ?? "")} is no name for a certificate, allowed are host names and IP addresses`,
    );
  }
  const [, issuer = ""] = /^CN=(.*)$/m.exec(new X509Certificate(authority.cert).subject) ?? [];
  const { publicKey, privateKey } = await makeKeys();
  const cert = signedCertificate({
    // At most 64 characters; the names that count are the others.
    ...{ commonName: first.slice(0, 64), issuer, publicKey, isAuthority: false },
    privateKey: createPrivateKey(authority.key),
    names: names.map((name) => addressBytes(name) ?? name),
    ...lifetime(),
  });
  return withKey(cert, privateKey);
}

const makeKeys = () => promisify(generateKeyPair)("ec", { namedCurve: "P-256" });

type PrivateKey = Awaited<ReturnType<typeof makeKeys>>["privateKey"];

function withKey(cert: X509Certificate, privateKey: PrivateKey): CertificateWithKey {
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { cert: cert.toString(), key };
}

function lifetime(): { readonly notBefore: Date; readonly notAfter: Date } {
  const notBefore = new Date(Date.now() - CLOCK_SKEW_MS);
  const notAfter = new Date(notBefore);
  notAfter.setFullYear(notAfter.getFullYear() + LIFETIME_YEARS);
  return { notBefore, notAfter };
}
