/** Each datagram of a UDP session has its length before it. */
export const DATAGRAMS = "datagrams";

/** Pool connections carry one connection after another, in frames. */
export const STREAMS = "streams";

/** The ends tell each other how many pool connections are needed. */
export const SIZING = "sizing";

/** Many users share a few pool connections. */
export const LANES = "lanes";

/** The entry says which port of a range a user came to. */
export const PORTS = "ports";

/** What this project offers and takes; the first release knows the first two. */
export const EXTENSIONS: readonly string[] = [DATAGRAMS, STREAMS, SIZING, LANES, PORTS];

/** Most extensions that a request or an answer may name. */
export const MAX_EXTENSIONS = 16;

/** Lower-case letters, digits and `-`, at most 32. */
const NAME = /^[a-z0-9-]{1,32}$/;

/** Whether `name` can be an extension's. */
export function isExtensionName(name: string): boolean {
  return NAME.test(name);
}

/** The extensions in force: those of `offered` that this end knows too, in the offered order. */
export function negotiateExtensions(
  offered: readonly string[],
  supported: readonly string[],
): readonly string[] {
  return offered.filter((name) => supported.includes(name));
}
