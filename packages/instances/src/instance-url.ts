import { ServiceError } from "@nodepass/model";
import {
  type ClientSettings,
  format,
  type ParseDefaults,
  parseTunnelUrlLenient,
  type ServerSettings,
  UrlConfigError,
  type UrlProblem,
} from "@nodepass/url-config";

/** What an instance's URL means under its master. */
export interface InstanceUrl {
  readonly settings: ServerSettings | ClientSettings;
  /** The URL with every default filled in. */
  readonly config: string;
  /** What lenient reading overlooked. */
  readonly warnings: readonly UrlProblem[];
}

/**
 * Reads an instance's URL as clients of NodePass masters write it.
 *
 * @throws {ServiceError} `INVALID_URL` with all that is wrong
 */
export function readInstanceUrl(url: string, defaults: ParseDefaults): InstanceUrl {
  try {
    const { settings, warnings } = parseTunnelUrlLenient(url, { defaults });
    return { settings, warnings, config: format(settings) };
  } catch (error) {
    if (!(error instanceof UrlConfigError)) throw error;
    throw new ServiceError("INVALID_URL", error.message, { cause: error });
  }
}

/** What of an instance's URL its tunnel is told: the quota is counted here. */
export function tunnelSpec(settings: InstanceUrl["settings"]): InstanceUrl["settings"] {
  return settings.quota === undefined ? settings : { ...settings, quota: undefined };
}
