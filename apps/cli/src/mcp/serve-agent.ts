import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { Readable, Writable } from "node:stream";
import { createExportFile, serveMcp } from "@nodepass/mcp";
import type { Logger } from "@nodepass/model";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit-code.ts";
import { hideKeys } from "../output/hide-keys.ts";
import { plainText } from "../output/terminal-text.ts";
import { openMaster } from "../remote/open-master.ts";
import type { AskOptions } from "../remote/remote-options.ts";
import { untilAborted } from "../stop-requests.ts";
import { readVersion } from "../version.ts";

/** What `nodepass mcp` is given. */
export interface McpCommandOptions extends AskOptions {
  readonly readOnly?: boolean | undefined;
  readonly file?: string | undefined;
}

/**
 * Runs `nodepass mcp` until the agent has closed standard input, or it is asked to stop. Standard output
 * is the protocol's; all else goes to standard error.
 */
export async function serveAgent(
  context: CliContext,
  { file, readOnly, ...options }: McpCommandOptions,
): Promise<void> {
  const { stdin, stdout, stderr } = context;
  if (!(stdin instanceof Readable && stdout instanceof Writable)) {
    throw new CliError("mcp needs standard input and output of the process");
  }
  const stop = context.watchStop();
  const { client } = await openMaster(context, options);
  const say = (text: string): void => {
    stderr.write(`nodepass: ${plainText(hideKeys(text))}\n`);
  };
  // Typed by hand it would only wait.
  if (context.stdin.isTTY === true) {
    say("waiting for an agent on standard input, which its host starts this for; Ctrl-C ends it");
  }
  const served = serveMcp({
    client,
    readOnly,
    exportFile: createExportFile(
      file === undefined ? () => besideTheState(context) : resolve(file),
    ),
    version: readVersion(),
    logger: createErrorLogger(say),
    input: stdin,
    output: stdout,
    onError: ({ message }) => say(message),
  });
  try {
    await Promise.race([served.closed, stop.requested, untilAborted(stop.now)]);
  } finally {
    await served.close();
  }
}

/** Loaded when it is asked for: a whole master is much for the name of a folder. */
async function besideTheState({ environment }: CliContext): Promise<string> {
  const { stateDirectory } = await import("@nodepass/master-server");
  return join(stateDirectory(environment, homedir()), "nodepass.json");
}

function createErrorLogger(say: (text: string) => void): Logger {
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: ({ reason }, message) => say(`${message}: ${String(reason)}`),
    error: ({ tool, error }, message) => say(`${message}: ${String(tool)}: ${String(error)}`),
  };
}
