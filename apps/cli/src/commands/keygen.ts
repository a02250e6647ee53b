import { type Command, InvalidArgumentError } from "commander";
import type { CliContext } from "../context.ts";
import { commandName } from "../output/command-name.ts";
import { createKey, defaultKeyBytes } from "../tunnel/create-key.ts";

const minBytes = 16;
const maxBytes = 64;

/** Adds `nodepass keygen`: a random tunnel key. */
export function addKeygenCommand(program: Command, context: CliContext): void {
  program
    .command("keygen")
    .description("print a random tunnel key")
    .option(
      "--bytes <number>",
      `random bytes, ${minBytes} to ${maxBytes}`,
      parseBytes,
      defaultKeyBytes,
    )
    .option("--url", "print a pair of commands that use it")
    .action((options: { readonly bytes: number; readonly url?: boolean }) => {
      const key = createKey(options.bytes);
      context.stdout.write(
        options.url === true ? formatCommands(key, commandName(context.environment)) : `${key}\n`,
      );
    });
}

function parseBytes(value: string): number {
  const bytes = /^\d+$/.test(value) ? Number(value) : 0;
  if (bytes < minBytes || bytes > maxBytes) {
    throw new InvalidArgumentError(`allowed: a whole number from ${minBytes} to ${maxBytes}.`);
  }
  return bytes;
}

function formatCommands(key: string, command: string): string {
  return `key      ${key}
server   ${command} 'server://${key}@:10101/:8080?mode=1&tls=1'
client   ${command} 'client://${key}@your.server:10101/127.0.0.1:80?mode=2'
`;
}
