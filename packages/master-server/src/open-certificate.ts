import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@nodepass/model";
import {
  type CertificateSource,
  createSelfSignedCertificate,
  openCertificateFiles,
} from "@nodepass/tunnel-core";
import type { MasterSettings } from "@nodepass/url-config";
import { MasterServerError } from "./master-server-error.ts";

/** Names in the state directory of the certificate that a master with `tls=1` makes for itself. */
const KEPT_CERTIFICATE = { certificate: "master.crt", key: "master.key" } as const;

/** The certificate of an API. */
export interface OpenedCertificate {
  readonly source: CertificateSource;
  /** Puts one that was made now into the state directory; to be called by who holds its lock. */
  keep(): Promise<void>;
}

/**
 * The certificate of the API: none for `tls=0`; for 1 the one in the state directory, else a new
 * one, which is to be kept there, so that a pinned fingerprint stays good; for 2 that of the files,
 * which is read again when they change.
 *
 * @throws {MasterServerError} `CERTIFICATE_INVALID`, naming the file and the reason
 */
export async function openCertificate(
  { tls, crt, keyFile }: Pick<MasterSettings, "tls" | "crt" | "keyFile">,
  stateDirectory: string,
  logger: Logger,
): Promise<OpenedCertificate | undefined> {
  if (tls === 0) return undefined;
  if (tls === 2) {
    if (crt === undefined || keyFile === undefined) {
      throw new MasterServerError("CERTIFICATE_INVALID", "tls=2 needs crt and key");
    }
    return { source: await openFiles(crt, keyFile, logger), keep: async () => undefined };
  }
  const certPath = join(stateDirectory, KEPT_CERTIFICATE.certificate);
  const keyPath = join(stateDirectory, KEPT_CERTIFICATE.key);
  if (existsSync(certPath) && existsSync(keyPath)) {
    return { source: await openFiles(certPath, keyPath, logger), keep: async () => undefined };
  }
  const source = await createSelfSignedCertificate();
  const { cert, key } = source.current().pem();
  return {
    source,
    keep: async () => {
      await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
      // The key first: a certificate without it would be no pair, and be made anew.
      await replace(keyPath, key);
      await replace(certPath, cert);
    },
  };
}

async function openFiles(
  certPath: string,
  keyPath: string,
  logger: Logger,
): Promise<CertificateSource> {
  try {
    return await openCertificateFiles({ certPath, keyPath, logger });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new MasterServerError("CERTIFICATE_INVALID", message, { cause: error });
  }
}

async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, path);
}
