import {
  type CertificateLogger,
  type CertificateSource,
  createSelfSignedCertificate,
  openCertificateFiles,
} from "@nodepass/tunnel-core";
import type { MasterSettings } from "@nodepass/url-config";
import { MasterServerError } from "./master-server-error.ts";

/**
 * The certificate of the API: none for `tls=0`, one in memory for 1, that of the files for 2, which
 * is read again when they change.
 *
 * @throws {MasterServerError} `CERTIFICATE_INVALID`, naming the file and the reason
 */
export async function openCertificate(
  { tls, crt, keyFile }: MasterSettings,
  logger: CertificateLogger,
): Promise<CertificateSource | undefined> {
  if (tls === 0) return undefined;
  if (tls === 1) return createSelfSignedCertificate();
  if (crt === undefined || keyFile === undefined) {
    throw new MasterServerError("CERTIFICATE_INVALID", "tls=2 needs crt and key");
  }
  try {
    return await openCertificateFiles({ certPath: crt, keyPath: keyFile, logger });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new MasterServerError("CERTIFICATE_INVALID", message, { cause: error });
  }
}
