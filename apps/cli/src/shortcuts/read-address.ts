import { formatHostPort, parseHostPort, UrlConfigError } from "@nodepass/url-config";
import { CliError, exitCodes } from "../exit-code.ts";

/**
 * An address as a URL has it.
 *
 * @param text `host:port`, `:port`, `[v6]:port`, or a port alone
 * @param host for a port alone, or without a host
 * @throws {CliError} usage, naming the text and what is allowed
 */
export function readAddress(text: string, host: string): string {
  try {
    const address = parseHostPort(/^\d+$/.test(text) ? `:${text}` : text);
    if (address.port === 0) throw new CliError(`port 0 of ${JSON.stringify(text)} can't be used`);
    return formatHostPort({ host: address.host === "" ? host : address.host, port: address.port });
  } catch (error) {
    if (!(error instanceof UrlConfigError || error instanceof CliError)) throw error;
    throw new CliError(error.message, { exitCode: exitCodes.usage, cause: error });
  }
}
