import { parseHostPort } from "@nodepass/url-config";
import type { CliContext } from "../context.ts";
import { commandName } from "../output/command-name.ts";
import type { LogFormat } from "../output/log-format.ts";
import { shellQuote } from "../output/shell-quote.ts";
import { createKey } from "../tunnel/create-key.ts";
import { readAddress } from "./read-address.ts";
import { runUrl } from "./run-url.ts";

/** Options of `nodepass expose`. */
export interface ExposeOptions {
  readonly on: string;
  readonly port?: string | undefined;
  readonly qr: boolean;
  readonly tls: boolean;
  readonly dryRun?: boolean | undefined;
  readonly logFormat: LogFormat;
}

/** Runs `nodepass expose`: says what the server has to run, and runs the client. */
export async function expose(
  context: CliContext,
  service: string,
  options: ExposeOptions,
): Promise<void> {
  const { environment } = context;
  const target = readAddress(service, "127.0.0.1");
  const tunnel = readAddress(options.on, "127.0.0.1");
  const given = environment.NP_TUNNEL_KEY;
  const key = encodeURIComponent(given === undefined || given === "" ? createKey() : given);
  const users = readAddress(options.port ?? String(parseHostPort(target).port), "");
  const tls = options.tls ? "&tls=1" : "";
  const server = `server://${key}@:${parseHostPort(tunnel).port}/${users}?mode=1${tls}`;
  const client = `client://${key}@${tunnel}/${target}?mode=2`;
  const command = `${commandName(environment)} ${shellQuote(server)}`;
  const lines = [`On the server:  ${command}`];
  if (options.qr) {
    const { encodeQR } = await import("qr");
    lines.push("", encodeQR(command, "ascii", { ecc: "low", border: 1 }));
  }
  if (options.dryRun === true) {
    lines.push(`On this machine:  ${commandName(environment)} ${shellQuote(client)}`);
  }
  // Beside the log, which is for programs in one of its forms: people read this once.
  const output = options.logFormat === "json" ? context.stderr : context.stdout;
  output.write(`${lines.join("\n")}\n`);
  if (options.dryRun !== true) await runUrl(context, client, options.logFormat);
}
