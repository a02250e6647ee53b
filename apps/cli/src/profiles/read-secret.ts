import type { CliContext, TextInput } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";

/** Nobody's key is longer. */
const maxCharacters = 4096;

/**
 * Asks for a secret: on a terminal without showing it, else one line of what is piped in.
 *
 * @throws {CliError} if none comes
 */
export async function readSecret({ stdin, stderr }: CliContext, prompt: string): Promise<string> {
  stdin.setEncoding("utf8");
  if (stdin.isTTY !== true) return readLine(stdin);
  stderr.write(prompt);
  stdin.setRawMode?.(true);
  try {
    return await readTyped(stdin);
  } finally {
    stdin.setRawMode?.(false);
    stdin.pause();
    stderr.write("\n");
  }
}

async function readLine(stdin: TextInput): Promise<string> {
  let text = "";
  for await (const chunk of stdin) {
    text += String(chunk);
    if (text.includes("\n") || text.length > maxCharacters) break;
  }
  const [line = ""] = text.split("\n");
  return line.trim();
}

/** What a terminal in raw mode sends until Return; the last character can be taken back. */
function readTyped(stdin: TextInput): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed = "";
    const onData = (text: string) => {
      for (const character of text) {
        if (character === "\r" || character === "\n") {
          stdin.off("data", onData);
          resolve(typed.trim());
          return;
        }
        // Ctrl-C and Ctrl-D arrive as characters.
        if (character === "\x03" || character === "\x04") {
          stdin.off("data", onData);
          reject(new CliError("", { exitCode: exitCodes.failure }));
          return;
        }
        if (character === "\x7f" || character === "\b") typed = typed.slice(0, -1);
        else if (character >= " " && typed.length < maxCharacters) typed += character;
      }
    };
    stdin.on("data", onData);
    stdin.resume();
  });
}
