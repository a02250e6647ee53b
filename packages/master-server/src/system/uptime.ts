/**
 * Reads `/proc/uptime`: `350735.47 234388.90`, seconds since boot and idle seconds.
 *
 * @returns whole seconds since boot; 0 if the text is not as expected
 * @see proc_uptime(5)
 */
export function parseUptime(text: string): number {
  return Number(/^(\d+)(?:\.\d*)? /.exec(text)?.[1] ?? 0);
}
