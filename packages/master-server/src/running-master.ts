import type { HostPort } from "@nodepass/url-config";
import type { Hono } from "hono";
import type { FileTunnel } from "./files/file-instances.ts";

/** A master that answers. */
export interface RunningMaster extends Omit<MountedMaster, "app"> {
  /** As bound; the host is empty for all interfaces. */
  readonly address: HostPort;
  /** The API's URL with its prefix, as others reach it. */
  readonly url: string;
  readonly docsUrl: string;
  /** Where people see its tunnels; `undefined` where no dashboard is served. */
  readonly dashboardUrl: string | undefined;
  /**
   * A link that opens the dashboard signed in, once, within 60 s: a secret for that long, for whoever
   * started the master. Each call makes another.
   *
   * @returns `undefined` where no dashboard is served
   */
  signInUrl(): string | undefined;
  /** SHA-256 of the certificate, `sha256:AA:BB:…`, to be pinned; `undefined` without TLS. */
  readonly certificateFingerprint: string | undefined;
}

/** A master without a server of its own. */
export interface MountedMaster {
  /** Answers under the prefix of the settings: `app.route("/", master.app)`. */
  readonly app: Hono;
  /** A secret: to be shown at the first start, and never logged. */
  readonly apiKey: string;
  /** Whether the key was made at this start. */
  readonly freshKey: boolean;
  /** Resolves when the instances that start with the master run or have failed, or after 10 s. */
  readonly started: Promise<void>;
  /**
   * Makes the instances what files say: new ones are made, others changed without a cut where that
   * is possible, those that files brought and do not have any more removed. Each has the field
   * `origin` then, and its URL is not changed over the API (409). Instances that no file brought are
   * left alone. One call after the other.
   *
   * @returns whether all of it could be done; what could not is logged, and can be tried again
   */
  become(tunnels: readonly FileTunnel[]): Promise<boolean>;
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

/** What is printed of a start. */
export interface StartLinesOptions {
  /** Whether a key that was made at this start is printed. @default true */
  readonly showKey?: boolean | undefined;
  /** What makes another key while the master is stopped. @default "nodepass-master --renew-key" */
  readonly renewCommand?: string | undefined;
  /**
   * Whether the dashboard's URL opens it signed in, once, within a minute: for a terminal, which only
   * whoever has started the master sees. @default false
   */
  readonly signInLink?: boolean | undefined;
}

/**
 * What a command prints when its master has started. Dashboards understand the lines `API URL:` and
 * `API KEY:`; the latter is there at the first start only.
 *
 * @example
 * process.stdout.write(`${startLines(master, readMasterEnvironment(process.env, homedir())).join("\n")}\n`);
 */
export function startLines(
  master: Pick<RunningMaster, "url" | "docsUrl" | "apiKey" | "freshKey"> &
    Partial<Pick<RunningMaster, "certificateFingerprint" | "dashboardUrl" | "signInUrl">>,
  options: StartLinesOptions = {},
): string[] {
  const { showKey = true, renewCommand = "nodepass-master --renew-key", signInLink } = options;
  const link = signInLink === true ? master.signInUrl?.() : undefined;
  const dashboard = link === undefined ? master.dashboardUrl : `${link} (${SIGN_IN_HINT})`;
  const { url, docsUrl, apiKey, freshKey, certificateFingerprint: fingerprint } = master;
  return [
    `API URL: ${url}`,
    `API docs: ${docsUrl}`,
    ...(dashboard === undefined ? [] : [`Dashboard: ${dashboard}`]),
    ...(fingerprint === undefined ? [] : [`Certificate: ${fingerprint}`]),
    ...(freshKey ? [showKey ? `API KEY: ${apiKey}` : hiddenKey(renewCommand)] : []),
  ];
}

/** What is said of a link that signs in. */
export const SIGN_IN_HINT = "opens signed in, once, within a minute";

/** In place of a new key that is not printed. */
function hiddenKey(renewCommand: string): string {
  return `The API key is not shown here: NP_SHOW_KEY=1 shows it at the first start, NP_API_KEY_FILE or NP_API_KEY gives one; ${renewCommand} makes another`;
}
