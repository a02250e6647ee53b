import { TunnelError } from "../errors.ts";

/**
 * Compares a server's certificate with the one of its proved answer.
 *
 * @param seen fingerprint of what it showed
 * @param pin fingerprint of the only one that will do; `undefined`: any
 * @returns `PEER_CERTIFICATE_MISMATCH` if it is another one
 * @see docs/protocol.md, "Certificate check"
 * @example
 * const mismatch = certificateMismatch(certificateFingerprint(certificate.raw), pin);
 * if (mismatch !== undefined) socket.destroy(mismatch);
 */
export function certificateMismatch(
  seen: string | undefined,
  pin: string | undefined,
): TunnelError | undefined {
  if (pin === undefined || seen === pin) return undefined;
  return new TunnelError(
    "PEER_CERTIFICATE_MISMATCH",
    `the certificate ${seen ?? "(none)"} is not the server's proved one, ${pin}`,
  );
}
