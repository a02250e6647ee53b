import type { X509Certificate } from "node:crypto";
import type { SecureContext } from "node:tls";
import { tls } from "../node-tls.ts";
import { certificateFingerprint } from "../wire/certificate-fingerprint.ts";
import { CIPHERS_BY_BOTH, cipherOrder } from "./cipher-order.ts";

/** A certificate, ready to be used. */
export interface CertificateState {
  /** Made once per certificate, shared by all its handshakes. TLS 1.3 only. */
  readonly context: SecureContext;
  /** `sha256:AA:BB:…` of the leaf's DER, upper-case hex pairs. */
  readonly fingerprint: string;
  readonly notAfter: Date;
  /** Host names that it is for, lower case; `*.` may stand for the first label. */
  readonly names: readonly string[];
  /** The leaf with its chain, and the key, for a carrier with a TLS of its own (QUIC). */
  pem(): { readonly cert: string; readonly key: string };
}

/** Where a TLS server's certificate comes from. */
export interface CertificateSource {
  /** The certificate in force now; never throws after opening. Cheap: called per handshake. */
  current(): CertificateState;
  /** Emits after a successful reload. */
  onChange(listener: (state: CertificateState) => void): void;
  /** Ends reloading; `current` goes on returning the last certificate. Idempotent. */
  close(): void;
}

/**
 * @param leaf the first certificate of `certPem`
 * @param certPem the leaf and, after it, the rest of its chain
 * @throws whatever OpenSSL finds wrong with the chain or the key
 */
export function createCertificateState(
  leaf: X509Certificate,
  certPem: string,
  keyPem: string,
): CertificateState {
  return {
    context: tls().createSecureContext({
      cert: certPem,
      key: keyPem,
      minVersion: "TLSv1.3",
      ciphers: cipherOrder(),
      secureOptions: CIPHERS_BY_BOTH,
    }),
    fingerprint: certificateFingerprint(leaf.raw),
    notAfter: leaf.validToDate,
    names: dnsNames(leaf),
    // A function, so that whoever inspects or serialises a state sees no key.
    pem: () => ({ cert: certPem, key: keyPem }),
  };
}

/** The DNS names of a certificate's `subjectAltName`; those that need quotes are none. */
function dnsNames(leaf: X509Certificate): readonly string[] {
  const names = (leaf.subjectAltName ?? "").matchAll(/(?:^|, )DNS:([^",\s]+)/g);
  return [...names].map(([, name = ""]) => name.toLowerCase());
}
