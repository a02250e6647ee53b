import { parseEnvironment, parseTunnelUrl } from "@nodepass/url-config";
import type { CliContext } from "../context.ts";
import type { LogFormat } from "../output/log-format.ts";

/** Runs a tunnel as `nodepass <url>` does. */
export async function runUrl(
  context: CliContext,
  url: string,
  logFormat: LogFormat,
): Promise<void> {
  const { runTunnel } = await import("../tunnel/run-tunnel.ts");
  const settings = parseTunnelUrl(url);
  await runTunnel(context, {
    settings,
    environment: parseEnvironment(context.environment),
    logFormat,
  });
}
