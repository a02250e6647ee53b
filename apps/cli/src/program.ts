import { Command, CommanderError, Help } from "commander";
import { addRunCommand } from "./commands/run.ts";
import type { CliContext } from "./context.ts";
import { asCliError, exitCodes } from "./exit-code.ts";
import { expandArguments } from "./expand-arguments.ts";
import { createStyle, hasColour } from "./output/colour.ts";
import { commandName } from "./output/command-name.ts";
import { errorLines } from "./output/error-lines.ts";
import { hideKeys } from "./output/hide-keys.ts";
import { readVersion } from "./version.ts";

/** What the help says after all. */
export const examples = (command: string): string => `
Examples:
  KEY is a secret of yours; ${command} keygen prints one.

  A web server on port 8080 behind NAT, reachable on port 80 of your server:
    your server  ${command} "server://$KEY@:10101/:80?mode=1&tls=1"
    behind NAT   ${command} "client://$KEY@your.server:10101/127.0.0.1:8080?mode=2"

  A database on the server's side, reachable on the client's port 5432:
    server       ${command} "server://$KEY@:10101/127.0.0.1:5432?mode=2&tls=1"
    client       ${command} "client://$KEY@your.server:10101/127.0.0.1:5432?mode=2"

  A local port passed on, without a server:
    ${command} 'client://127.0.0.1:8080/example.com:80?mode=1'

  A secret, what a URL means, and a look at a tunnel at work:
    ${command} keygen --url
    ${command} check "server://$KEY@:10101/:80?mode=1&tls=1"
    ${command} demo

  A master, and tunnels made and watched from anywhere:
    ${command} 'master://0.0.0.0:9090/api?tls=1'
    ${command} login --master https://your.server:9090
    ${command} create "server://$KEY@:10101/:80?mode=1&tls=1" --alias web
    ${command} top

Quote URLs: shells take & and ? for their own. Others can see arguments, so the key in a URL: give it
with run - (standard input), run --file, or NP_URL. Log lines and check points go to standard output,
errors to standard error. Exit codes: 0 done or stopped as asked, 1 failed, 2 wrong usage,
3 no such instance, 4 the master refuses the key, 5 no answer of the master, 6 diff: something
differs.
`;

/**
 * Builds the command line; nothing is run or read yet. A tunnel lives long and needs `run` only: all
 * the others would be 1.3 MB of its process and a tenth of its start (docs/performance.md).
 */
export async function createProgram(
  context: CliContext,
  command: string | undefined,
): Promise<Command> {
  const style = createStyle(true);
  const typed = commandName(context.environment);
  const program = new Command("nodepass")
    .description("TCP and UDP tunnels through NAT and firewalls, compatible with NodePass 1.14")
    .usage(`<url> [options]\n       ${typed} <command> [options]`)
    .version(readVersion(), "-v, --version", "print the version")
    .helpOption("-h, --help", "print help for a command")
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      outputError: (text, write) => {
        const shown = hideKeys(text).replace(/^error: /, "nodepass: ");
        const isEarly = context.argv[0]?.startsWith("-") === true;
        write(isEarly ? shown.replace(/unknown option '[^']*'/, `$& ${beforeCommand}`) : shown);
      },
      getOutHelpWidth: () => context.stdout.columns ?? 100,
      getErrHelpWidth: () => context.stderr.columns ?? 100,
      getOutHasColors: () => hasColour(context.stdout, context.environment),
      getErrHasColors: () => hasColour(context.stderr, context.environment),
    })
    .configureHelp({
      styleTitle: (title) => style.bold(title),
      commandUsage: (command) => new Help().commandUsage(command).replace(/^nodepass(?= )/, typed),
    })
    .showHelpAfterError(`Try '${typed} --help'.`)
    .exitOverride()
    .addHelpText("after", examples(typed));
  program.commandsGroup("Tunnels:");
  addRunCommand(program, context);
  if (command !== "run") {
    const { addMoreCommands } = await import("./commands/more-commands.ts");
    addMoreCommands(program, context);
  }
  nameOwnHelp(program, typed);
  return program;
}

/** Only `--help`, `--version` and `--master` may stand there. */
const beforeCommand = "before the command: options stand after it";

/** Makes the error of a sub-command point at its own help. */
function nameOwnHelp(command: Command, path: string): void {
  command.showHelpAfterError(`Try '${path} --help'.`);
  for (const each of command.commands) nameOwnHelp(each, `${path} ${each.name()}`);
}

/** A master's plain 404 may be a hub's, and the reverse; commands that ask nobody load no client. */
async function explained(context: CliContext, error: unknown): Promise<unknown> {
  if (!(error instanceof Error && "status" in error && error.status === 404)) return error;
  const { explainNotFound } = await import("./remote/open-master.ts");
  return explainNotFound(context, error);
}

/**
 * Runs one command line to its end and says what went wrong on standard error.
 *
 * @returns the exit code
 */
export async function runCli(context: CliContext): Promise<number> {
  try {
    const argv = expandArguments(context.argv);
    const program = await createProgram(context, argv[0]);
    await program.parseAsync(argv, { from: "user" });
    return exitCodes.ok;
  } catch (error) {
    // Commander has said it already; help and version end this way too, with code 0.
    if (error instanceof CommanderError) {
      return error.exitCode === exitCodes.ok ? exitCodes.ok : exitCodes.usage;
    }
    const known = asCliError(await explained(context, error));
    if (known?.message === "") return known.exitCode;
    const style = createStyle(hasColour(context.stderr, context.environment));
    const [first, ...rest] = errorLines(known ?? error, commandName(context.environment));
    context.stderr.write([`${style.red("nodepass:")} ${first}`, ...rest, ""].join("\n"));
    return known?.exitCode ?? exitCodes.failure;
  }
}
