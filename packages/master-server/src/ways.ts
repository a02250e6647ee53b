export { findCarriers } from "@nodepass/tunnel-core";

/**
 * The variables that `via=env` looks at; worker threads are given no more of the environment.
 *
 * @example
 * const ways = { proxyEnvironment: proxyVariables(process.env) };
 */
export function proxyVariables(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => /_proxy$/i.test(name)));
}
