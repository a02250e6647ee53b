import { CliError, exitCodes } from "./exit-code.ts";

const url = /^[a-z][a-z0-9+.-]*:\/\//i;
/** Others may be the value of an option, such as `--master https://…`. */
const runnableUrl = /^(?:server|client|master):\/\//i;

/**
 * Puts the `run` that may be left out in front: `nodepass server://…` is `nodepass run server://…`,
 * with options before or after the URL.
 *
 * @throws {CliError} for what looks like a URL without its scheme, whose text may hold a key
 */
export function expandArguments(argv: readonly string[]): readonly string[] {
  const [first] = argv;
  if (first === undefined) return argv;
  if (url.test(first) || (first.startsWith("-") && argv.some((each) => runnableUrl.test(each)))) {
    return ["run", ...argv];
  }
  if (!first.startsWith("-") && /[:@/]/.test(first)) {
    throw new CliError(
      "the first argument is neither a command nor a URL: a URL starts with server:// or client://",
      { exitCode: exitCodes.usage },
    );
  }
  return argv;
}
