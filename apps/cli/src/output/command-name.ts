/** Set by `npm start`: what people type there in place of `nodepass`. */
const variable = "NODEPASS_COMMAND";

/**
 * What people type to run this program, for every hint that names a command: `nodepass`, or
 * `npm start --` in a checkout. It goes in front of arguments: `${commandName(environment)} ls`.
 */
export function commandName(environment: Readonly<Record<string, string | undefined>>): string {
  return environment[variable] || "nodepass";
}

/** What makes a tunnel key, quoted for a sentence. */
export function keygenHint(environment: Readonly<Record<string, string | undefined>>): string {
  return `'${commandName(environment)} keygen'`;
}
