import { CliError, exitCodes } from "./exit-code.ts";

const url = /^[a-z][a-z0-9+.-]*:\/\//i;
/** Others may be the value of an option, such as `--master https://…`. */
const runnableUrl = /^(?:server|client|master):\/\//i;

/** `-m NAME`, `-mNAME`, `--master NAME`, `--master=NAME`. */
const masterOption = /^(?:-m|--master)$/;
const joinedMaster = /^(?:-m|--master=)(?=[^-=])/;

/**
 * Puts the `run` that may be left out in front: `nodepass server://…` is `nodepass run server://…`,
 * with options before or after the URL. A `-m NAME` in front goes to its place among the command's
 * options: `nodepass -m NAME ls` is `nodepass ls -m NAME`.
 *
 * @throws {CliError} for what looks like a URL without its scheme, whose text may hold a key
 */
export function expandArguments(argv: readonly string[]): readonly string[] {
  const [first, second] = argv;
  if (first === undefined) return argv;
  if (masterOption.test(first) && second !== undefined && argv.length > 2) {
    return withOption(expandArguments(argv.slice(2)), [first, second]);
  }
  if (joinedMaster.test(first) && argv.length > 1) {
    return withOption(expandArguments(argv.slice(1)), [first]);
  }
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

/** The arguments with an option more, before what `--` shields. */
function withOption(argv: readonly string[], option: readonly string[]): readonly string[] {
  const end = argv.indexOf("--");
  return end < 0 ? [...argv, ...option] : argv.toSpliced(end, 0, ...option);
}
