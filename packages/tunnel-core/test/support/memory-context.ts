import { type ClientSettings, parseTunnelUrl, type ServerSettings } from "@nodepass/url-config";
import type { TunnelOptions } from "../../src/tunnel.ts";
import type { LogRecord } from "../../src/tunnel-reports.ts";
import { createContext, type LiveContext } from "../../src/tunnels/create-context.ts";

/** What the parts of a tunnel with this URL share, without a tunnel around it. */
export function contextFor(
  url: string,
  options: TunnelOptions = {},
  logs: LogRecord[] = [],
): LiveContext {
  const settings = parseTunnelUrl(url) as ServerSettings | ClientSettings;
  const sink = {
    emitLog: (record: LogRecord) => logs.push(record),
    hasLogListener: () => true,
    connectionListener: () => undefined,
  };
  return createContext(settings, options, sink);
}
