import type { Logger } from "@nodepass/model";
import { AddressLists, TunnelError } from "@nodepass/tunnel-core";
import type { MasterSettings } from "@nodepass/url-config";
import { MasterServerError } from "../master-server-error.ts";

/** Time in which one refusal is logged, ms; the others are counted in it. */
const LOG_INTERVAL_MS = 10_000;

/**
 * Who may connect to the API (`allow` and `deny` of the master's URL).
 *
 * @returns `undefined` where everybody may
 * @throws {MasterServerError} `INVALID_OPTIONS` for a file of addresses that can't be used
 */
export function apiVisitors(
  { allow, deny }: Pick<MasterSettings, "allow" | "deny">,
  logger: Logger,
): ((address: string) => boolean) | undefined {
  let lists: AddressLists;
  try {
    lists = new AddressLists({
      allow,
      deny,
      place: "all",
      onFile: (file, reason) => {
        if (reason === undefined) logger.info({ file }, "address list reloaded");
        else logger.warn({ file, reason }, "address list not reloaded: the old one stays");
      },
    });
  } catch (error) {
    if (!(error instanceof TunnelError)) throw error;
    throw new MasterServerError("INVALID_OPTIONS", error.message, { cause: error });
  }
  if (lists.isOpen) return undefined;
  let loggedAt = Number.NEGATIVE_INFINITY;
  let suppressed = 0;
  return (address) => {
    if (lists.admits(address)) return true;
    const now = performance.now();
    if (now - loggedAt < LOG_INTERVAL_MS) {
      suppressed++;
    } else {
      loggedAt = now;
      logger.warn({ address, ...(suppressed > 0 && { suppressed }) }, "API connection refused");
      suppressed = 0;
    }
    return false;
  };
}
