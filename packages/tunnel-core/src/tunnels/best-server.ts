import type { ServerLink } from "./server-link.ts";

/** After the first has answered, others that are as good have so long, ms. */
const GRACE_MS = 100;
/** Servers whose connections take as long, within this, ms, are taken in the URL's order. */
const ALIKE_MS = 5;

/**
 * The servers in the order in which they are to be tried: first those that take a connection, the
 * nearest first, and of them those that failed last time after the others; then the rest.
 *
 * @param signal ends the wait
 */
export async function inOrderOfAnswer(
  links: readonly ServerLink[],
  signal: AbortSignal,
): Promise<readonly ServerLink[]> {
  const latencies = new Map<ServerLink, number>();
  const enough = new AbortController();
  const within = AbortSignal.any([signal, enough.signal]);
  let grace: NodeJS.Timeout | undefined;
  await Promise.all(
    links.map(async (link) => {
      try {
        latencies.set(link, Math.round((await link.probe(within)) / ALIKE_MS));
        grace ??= setTimeout(() => enough.abort(), GRACE_MS);
      } catch {
        // It does not answer, or too late: it is tried after those that do.
      }
    }),
  );
  clearTimeout(grace);
  const rank = (link: ServerLink): number => {
    const answered = latencies.get(link);
    if (answered === undefined) return Number.POSITIVE_INFINITY;
    return link.reason === undefined ? answered : Number.MAX_SAFE_INTEGER;
  };
  // Infinity minus itself is no number; equals stay in the URL's order.
  return [...links].sort((one, other) => rank(one) - rank(other) || 0);
}
