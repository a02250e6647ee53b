import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { TunnelError } from "../errors.ts";
import {
  type CertificateSource,
  type CertificateState,
  createCertificateState,
} from "./certificate-source.ts";

const DEFAULT_CHECK_INTERVAL_MS = 500;
/** A chain of some certificates is some kilobytes. */
const MAX_FILE_BYTES = 1024 * 1024;

/** What is used of a logger. */
export interface CertificateLogger {
  info(fields: Readonly<Record<string, string>>, message: string): void;
  warn(fields: Readonly<Record<string, string>>, message: string): void;
}

/** Which files, and how they are looked at. */
export interface CertificateFilesOptions {
  /** PEM, the leaf first, then its chain. Looked at each time, as `keyPath`: it may change. */
  readonly certPath: string;
  /** PEM, not encrypted. */
  readonly keyPath: string;
  readonly logger?: CertificateLogger | undefined;
  /** A changed pair could not be used and the old one stays; once per change and reason. */
  readonly onError?: ((error: TunnelError) => void) | undefined;
  /** Least time between two looks at the files, ms. @default 500 */
  readonly checkIntervalMs?: number | undefined;
  /** Monotonic clock in milliseconds. @default performance.now */
  readonly now?: (() => number) | undefined;
}

/**
 * Uses a certificate from files and follows their changes (`tls=2`).
 *
 * `current` looks at the files itself, at most every `checkIntervalMs`: the first handshake after
 * a replacement gets the new certificate, an idle server does nothing, and no watcher can lose
 * track of a renamed file or a swapped symbolic link. The look is synchronous (two `stat` calls,
 * some tens of microseconds): a handshake cannot go on without its answer.
 *
 * @throws {TunnelError} `CERTIFICATE_INVALID` (as a rejection), naming the file and the reason
 * @example
 * const source = await openCertificateFiles({ certPath: "tls.crt", keyPath: "tls.key" });
 */
export async function openCertificateFiles(
  options: CertificateFilesOptions,
): Promise<CertificateSource> {
  return new CertificateFiles(options);
}

/** @throws {TunnelError} `CERTIFICATE_INVALID` if the pair can't be used */
export function checkCertificateFiles(options: CertificateFilesOptions): void {
  new CertificateFiles(options).close();
}

class CertificateFiles implements CertificateSource {
  readonly #options: CertificateFilesOptions;
  readonly #checkIntervalMs: number;
  readonly #now: () => number;
  readonly #listeners: ((state: CertificateState) => void)[] = [];
  #state: CertificateState;
  /** The files as they were when `#state` was read. */
  #version: string;
  #checkedAt: number;
  /** Version and reason of the last failure reported. */
  #reported: string | undefined;
  #closed = false;

  constructor(options: CertificateFilesOptions) {
    this.#options = options;
    this.#checkIntervalMs = options.checkIntervalMs ?? DEFAULT_CHECK_INTERVAL_MS;
    this.#now = options.now ?? (() => performance.now());
    this.#checkedAt = this.#now();
    this.#version = pairVersion(options);
    this.#state = this.#read();
  }

  current(): CertificateState {
    if (this.#closed) return this.#state;
    const now = this.#now();
    if (now - this.#checkedAt >= this.#checkIntervalMs) {
      this.#checkedAt = now;
      this.#check();
    }
    return this.#state;
  }

  onChange(listener: (state: CertificateState) => void): void {
    this.#listeners.push(listener);
  }

  close(): void {
    this.#closed = true;
    this.#listeners.length = 0;
  }

  #check(): void {
    // Taken before reading: what is written in between makes another version, read next time.
    const version = pairVersion(this.#options);
    if (version === this.#version) return;
    try {
      this.#state = this.#read();
    } catch (error) {
      // Not remembered as seen: it is read again at every look until it is whole.
      this.#report(version, asCertificateError(error));
      return;
    }
    this.#version = version;
    this.#reported = undefined;
    const { certPath } = this.#options;
    const { fingerprint } = this.#state;
    this.#options.logger?.info({ certPath, fingerprint }, "certificate reloaded");
    for (const listener of [...this.#listeners]) listener(this.#state);
  }

  #report(version: string, error: TunnelError): void {
    const report = `${version} ${error.message}`;
    if (report === this.#reported) return;
    this.#reported = report;
    const { certPath, keyPath, logger, onError } = this.#options;
    logger?.warn({ certPath, keyPath, reason: error.message }, "certificate not reloaded");
    onError?.(error);
  }

  #read(): CertificateState {
    const { certPath, keyPath, logger } = this.#options;
    const certPem = readPem("certificate", certPath);
    const keyPem = readPem("key", keyPath);
    const leaf = parseLeaf(certPath, certPem);
    if (!leaf.checkPrivateKey(parseKey(keyPath, keyPem))) {
      throw invalid(`key ${keyPath} does not belong to certificate ${certPath}`);
    }
    const state = createState(certPath, leaf, certPem, keyPem);
    const { notAfter } = state;
    if (notAfter.getTime() < Date.now()) {
      logger?.warn({ certPath, notAfter: notAfter.toISOString() }, "certificate has expired");
    }
    return state;
  }
}

/**
 * Changes whenever the pair may have changed. `stat` follows symbolic links, so it sees the real
 * files; the change time sees what restores the modification time, and permissions.
 */
function pairVersion({ certPath, keyPath }: CertificateFilesOptions): string {
  return `${certPath} ${fileVersion(certPath)} ${keyPath} ${fileVersion(keyPath)}`;
}

function fileVersion(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(":");
  } catch {
    // Reading it says what is wrong.
    return "missing";
  }
}

function readPem(what: "certificate" | "key", path: string): string {
  let pem: string;
  try {
    const stats = statSync(path);
    if (!stats.isFile()) throw new Error("not a regular file");
    if (stats.size > MAX_FILE_BYTES) {
      throw new Error(`${stats.size} bytes, at most ${MAX_FILE_BYTES} allowed`);
    }
    pem = readFileSync(path, "latin1");
  } catch (error) {
    throw invalid(`cannot read ${what} ${path}: ${reasonOf(error)}`, error);
  }
  if (!pem.includes("-----BEGIN ")) throw invalid(`${what} ${path} is not PEM`);
  return pem;
}

function parseLeaf(path: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw invalid(`certificate ${path} is not valid: ${reasonOf(error)}`, error);
  }
}

function parseKey(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw invalid(`key ${path} is not valid: ${reasonOf(error)}`, error);
  }
}

function createState(
  path: string,
  leaf: X509Certificate,
  certPem: string,
  keyPem: string,
): CertificateState {
  try {
    return createCertificateState(leaf, certPem, keyPem);
  } catch (error) {
    throw invalid(`certificate ${path} cannot be used: ${reasonOf(error)}`, error);
  }
}

function invalid(message: string, cause?: unknown): TunnelError {
  return new TunnelError("CERTIFICATE_INVALID", message, cause === undefined ? {} : { cause });
}

function asCertificateError(error: unknown): TunnelError {
  return error instanceof TunnelError ? error : invalid(reasonOf(error), error);
}

/** The system's own text repeats the path; its code says enough. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && error.code === "ENOENT") return "no such file";
  if ("code" in error && error.code === "EACCES") return "permission denied";
  return error.message;
}
