/** Says a line on standard error: standard output belongs to the program that is started. */
export function say(line) {
  process.stderr.write(`nodepass: ${line}\n`);
}

/** Says why nothing can be started, and ends. */
export function fail(line) {
  say(line);
  process.exit(1);
}

/** Whether a version such as `22.12.0` is at least `[major, minor]`. */
export function isAtLeast(version, [major, minor]) {
  const [isMajor, isMinor] = version.split(".").map(Number);
  return isMajor > major || (isMajor === major && isMinor >= minor);
}
