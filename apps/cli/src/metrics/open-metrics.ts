import type { Logger } from "@nodepass/logging";
import type { Tunnel } from "@nodepass/tunnel-core";
import { type HostPort, parseHostPort, UrlConfigError } from "@nodepass/url-config";
import { CliError, exitCodes } from "../exit-code.ts";

const variable = "NP_METRICS";
const allowed = "a port, host:port or [IPv6]:port; without a host 127.0.0.1";

/** What is shown of tunnels that no master runs, and whether. */
export interface OpenMetricsOptions {
  /** `--metrics`. */
  readonly address: string | undefined;
  /** Has `NP_METRICS`, for where there is no option. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Those of this process now, by name. */
  readonly tunnels: () => Iterable<readonly [name: string, tunnel: Tunnel]>;
  readonly logger: Logger;
}

/**
 * Serves metrics if that is wanted; what does it is loaded only then.
 *
 * @returns closes what was opened
 * @throws {CliError} usage for a bad address, failure if it cannot be had
 */
export async function openMetrics(options: OpenMetricsOptions): Promise<() => Promise<void>> {
  const at = readMetricsAddress(options.address, options.environment);
  if (at === undefined) return async () => undefined;
  const { serveTunnelMetrics } = await import("./serve-tunnel-metrics.ts");
  return serveTunnelMetrics(at, options.tunnels, options.logger);
}

/**
 * Where metrics are to be served: the option, else `NP_METRICS`. Without a host on this machine only,
 * since there is no key.
 *
 * @throws {CliError} usage, naming which of the two, its text and what is allowed
 */
function readMetricsAddress(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): HostPort | undefined {
  const text = option ?? environment[variable] ?? "";
  if (option === undefined && text === "") return undefined;
  try {
    const { host, port } = parseHostPort(/^\d+$/.test(text) ? `:${text}` : text);
    return { host: host === "" ? "127.0.0.1" : host, port };
  } catch (error) {
    if (!(error instanceof UrlConfigError)) throw error;
    const name = option === undefined ? variable : "--metrics";
    throw new CliError(`${name} ${JSON.stringify(text)} is not an address (allowed: ${allowed})`, {
      exitCode: exitCodes.usage,
      cause: error,
    });
  }
}
