import type { HostPort } from "@nodepass/url-config";

/** A master that answers. */
export interface RunningMaster {
  /** As bound; the host is empty for all interfaces. */
  readonly address: HostPort;
  /** The API's URL with its prefix, as others reach it. */
  readonly url: string;
  readonly docsUrl: string;
  /** A secret: to be shown at the first start, and never logged. */
  readonly apiKey: string;
  /** SHA-256 of the certificate, `sha256:AA:BB:…`, to be pinned; `undefined` without TLS. */
  readonly certificateFingerprint: string | undefined;
  /** Whether the key was made at this start. */
  readonly freshKey: boolean;
  /** Resolves when the instances that start with the master run or have failed, or after 10 s. */
  readonly started: Promise<void>;
  /**
   * Event streams get `shutdown`, instances are closed, the state is saved. Idempotent: the first
   * call decides about the time.
   *
   * @throws {MasterServerError} `STOP_INCOMPLETE` if the state could not be saved
   */
  close(options?: CloseMasterOptions): Promise<void>;
  /** Cuts everything now; what was answered to clients is on disk already. Idempotent. */
  destroy(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** How a master is closed. */
export interface CloseMasterOptions {
  /** Longest graceful stop, ms; 0 = at once. @default `NP_SHUTDOWN_TIMEOUT` */
  readonly timeoutMs?: number | undefined;
}

/** In place of a new key that is not printed. */
const HIDDEN_KEY =
  "The API key is not shown here: give one with NP_API_KEY_FILE or NP_API_KEY, or set NP_SHOW_KEY=1";

/** What is printed of a start. */
export interface StartLinesOptions {
  /** Print the API key: always, never; absent: at the first start. */
  readonly showKey?: boolean | undefined;
}

/**
 * What a command prints when its master has started. Dashboards understand the lines `API URL:` and
 * `API KEY:`; the latter is there at the first start, or as told.
 */
export function startLines(
  master: Pick<RunningMaster, "url" | "docsUrl" | "apiKey" | "freshKey"> &
    Partial<Pick<RunningMaster, "certificateFingerprint">>,
  { showKey }: StartLinesOptions = {},
): string[] {
  const { url, docsUrl, apiKey, freshKey, certificateFingerprint: fingerprint } = master;
  const isHidden = showKey === false && freshKey;
  return [
    `API URL: ${url}`,
    `API docs: ${docsUrl}`,
    ...(fingerprint === undefined ? [] : [`Certificate: ${fingerprint}`]),
    ...((showKey ?? freshKey) ? [`API KEY: ${apiKey}`] : []),
    ...(isHidden ? [HIDDEN_KEY] : []),
  ];
}
