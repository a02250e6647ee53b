import type { CliContext } from "../context.ts";
import { commandName } from "../output/command-name.ts";
import type { LogFormat } from "../output/log-format.ts";
import { shellQuote } from "../output/shell-quote.ts";
import { readAddress } from "./read-address.ts";
import { runUrl } from "./run-url.ts";

/** Options of `nodepass forward`. */
export interface ForwardOptions {
  readonly to: string;
  readonly dryRun?: boolean | undefined;
  readonly logFormat: LogFormat;
}

/** Runs `nodepass forward`. */
export async function forward(
  context: CliContext,
  port: string,
  { to, dryRun, logFormat }: ForwardOptions,
): Promise<void> {
  const from = readAddress(port, "127.0.0.1");
  const url = `client://${from}/${readAddress(to, "127.0.0.1")}?mode=1`;
  if (dryRun === true) {
    context.stdout.write(`${commandName(context.environment)} ${shellQuote(url)}\n`);
    return;
  }
  await runUrl(context, url, logFormat);
}
