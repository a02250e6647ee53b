import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { logFormatOption } from "../output/log-format.ts";
import type { ExposeOptions } from "../shortcuts/expose.ts";
import type { ForwardOptions } from "../shortcuts/forward.ts";

/** Adds `expose` and `forward`: the two tunnels that most people want, without a URL. */
export function addShortcutCommands(program: Command, context: CliContext): void {
  program
    .command("expose")
    .description(
      "make a service of this machine reachable on a server: the client of a reverse tunnel",
    )
    .argument("<port>", "port of this machine, or host:port")
    .requiredOption("--on <host:port>", "tunnel address of the server")
    .option("--port <port>", "port of the server that users connect to; default: the same")
    .option("--no-tls", "no TLS between the two ends")
    .option("--no-qr", "don't print the server's command as a QR code")
    .option("--dry-run", "print the two commands, and run nothing")
    .addOption(logFormatOption())
    .addHelpText("after", "\nThe tunnel key is that of NP_TUNNEL_KEY, else a new one each time.\n")
    .action(async (service: string, options: ExposeOptions) => {
      const { expose } = await import("../shortcuts/expose.ts");
      await expose(context, service, options);
    });

  program
    .command("forward")
    .description("pass a port of this machine on to an address, without a server")
    .argument("<port>", "port to listen on, on this machine only; or host:port")
    .requiredOption("--to <host:port>", "where to")
    .option("--dry-run", "print the command, and run nothing")
    .addOption(logFormatOption())
    .action(async (port: string, options: ForwardOptions) => {
      const { forward } = await import("../shortcuts/forward.ts");
      await forward(context, port, options);
    });
}
